using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace ShopSample;

/// <summary>Who shops here: a name, and no password, as this is a sample.</summary>
public sealed record Visitor(
    [property: Required(ErrorMessage = "Please tell us a name.")]
    [property: StringLength(40, ErrorMessage = "A name has at most 40 characters.")]
    [property: RegularExpression(@"[^\p{C}]*", ErrorMessage = "A name has no control characters.")]
    string? Name)
{
    /// <summary>Affinity sees the sign-in and raises the session's generation: tickets from before it are refused, the basket stays.</summary>
    public Task SignInAsync(HttpContext context)
    {
        Claim[] claims = [new(ClaimTypes.Name, Name!.Trim())];
        return context.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity(claims, CookieAuthenticationDefaults.AuthenticationScheme)));
    }
}
