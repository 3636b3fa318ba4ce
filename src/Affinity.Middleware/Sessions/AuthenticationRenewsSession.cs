using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Affinity.Sessions;

/// <summary>
/// Around the framework's authentication service: signing in raises the session's generation, so a ticket that was planted or copied before opens nothing afterwards (session fixation),
/// and signing out ends the session. Every sign-in counts. A sign-out counts when its scheme identifies the visitor: it is the default authenticate scheme, or the one that has authenticated
/// this request (the default may be a policy scheme that forwards); signing out of an intermediate scheme, such as Identity's external cookie, leaves the session alone.
/// </summary>
internal sealed class AuthenticationRenewsSession(IAuthenticationService inner, IAuthenticationSchemeProvider schemes) : IAuthenticationService
{
    public Task<AuthenticateResult> AuthenticateAsync(HttpContext context, string? scheme) => inner.AuthenticateAsync(context, scheme);

    public Task ChallengeAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => inner.ChallengeAsync(context, scheme, properties);

    public Task ForbidAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => inner.ForbidAsync(context, scheme, properties);

    public async Task SignInAsync(HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties)
    {
        // The session first: when it is out of reach, nobody is signed in with a ticket that somebody else may hold.
        if (SessionOf(context) is { } session)
        {
            await session.RegenerateAsync(context.RequestAborted);
        }

        await inner.SignInAsync(context, scheme, principal, properties);
    }

    public async Task SignOutAsync(HttpContext context, string? scheme, AuthenticationProperties? properties)
    {
        if (SessionOf(context) is { } session && await IdentifiesVisitorAsync(context, scheme))
        {
            // Not ended by the visitor hanging up: who closes the tab while signing out means to be signed out.
            await session.AbandonAsync(CancellationToken.None);
        }

        await inner.SignOutAsync(context, scheme, properties);
    }

    private async Task<bool> IdentifiesVisitorAsync(HttpContext context, string? named)
    {
        var used = named ?? (await schemes.GetDefaultSignOutSchemeAsync())?.Name;
        var identifying = (await schemes.GetDefaultAuthenticateSchemeAsync())?.Name;
        var authenticated = context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Ticket?.AuthenticationScheme;
        return identifying is null
            || string.Equals(used, identifying, StringComparison.Ordinal)
            || (used is not null && string.Equals(used, authenticated, StringComparison.Ordinal));
    }

    private static AffinitySession? SessionOf(HttpContext context) => context.Features.Get<AffinitySession>();
}
