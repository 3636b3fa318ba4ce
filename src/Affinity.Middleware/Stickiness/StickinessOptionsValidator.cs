using System.Buffers;

namespace Affinity.Stickiness;

/// <summary>Every fault of <see cref="StickinessOptions"/>, each with its cure.</summary>
internal static class StickinessOptionsValidator
{
    private const int MaxNameLength = 64;

    // RFC 6265, section 4.1.1: a cookie's name is a token of RFC 9110.
    private static readonly SearchValues<char> TokenLetters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <param name="options">What to check.</param>
    /// <param name="secure">Whether cookies are sent over TLS only.</param>
    public static IEnumerable<string> Faults(StickinessOptions options, bool secure) =>
        [.. CookieFaults(options), .. PrefixFaults(options, secure), .. ChoiceFaults(options), .. TimeFaults(options), .. LoadFaults(options)];

    // Browsers drop such a cookie unless it is Secure, and compare the prefix without case.
    private static IEnumerable<string> PrefixFaults(StickinessOptions options, bool secure)
    {
        if (!secure && options.CookieName is { } name && (name.StartsWith("__Host-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("__Secure-", StringComparison.OrdinalIgnoreCase)))
        {
            yield return "Affinity:Stickiness:CookieName has a prefix that browsers only take over TLS, but Affinity:Ticket:InsecureAllowHttp is on; use another name here and at the balancer, or turn that off.";
        }
    }

    private static IEnumerable<string> CookieFaults(StickinessOptions options)
    {
        if (!IsToken(options.CookieName))
        {
            yield return $"Affinity:Stickiness:CookieName must be 1 to {MaxNameLength} letters, digits or !#$%&'*+-.^_`|~ (a token of RFC 6265), and the same as in the balancer's configuration; the default is AFF.";
        }

        if (options.Lifetime == BindingLifetime.Application && !IsToken(options.ApplicationCookie))
        {
            yield return $"Affinity:Stickiness:ApplicationCookie must name the cookie that the binding follows (1 to {MaxNameLength} characters, a token of RFC 6265), as Affinity:Stickiness:Lifetime is Application; name it, or use Browser or Duration.";
        }

        if (options.Lifetime != BindingLifetime.Application && options.ApplicationCookie is not null)
        {
            yield return "Affinity:Stickiness:ApplicationCookie is set but followed only when Affinity:Stickiness:Lifetime is Application; set that, or leave the cookie out.";
        }

        if (options.ApplicationCookie is { } followed && string.Equals(followed, options.CookieName, StringComparison.Ordinal))
        {
            yield return "Affinity:Stickiness:ApplicationCookie is the route cookie itself (Affinity:Stickiness:CookieName); name a cookie that the app sets.";
        }
    }

    private static IEnumerable<string> ChoiceFaults(StickinessOptions options)
    {
        if (!Enum.IsDefined(options.Dialect))
        {
            yield return NotOneOf<AffinityDialect>("Dialect");
        }

        if (!Enum.IsDefined(options.Ownership))
        {
            yield return NotOneOf<RouteOwnership>("Ownership");
        }

        if (!Enum.IsDefined(options.Bind))
        {
            yield return NotOneOf<BindMoment>("Bind");
        }

        if (!Enum.IsDefined(options.Lifetime))
        {
            yield return NotOneOf<BindingLifetime>("Lifetime");
        }

        if (!Enum.IsDefined(options.OnOtherNode))
        {
            yield return NotOneOf<OtherNodePolicy>("OnOtherNode");
        }
    }

    private static IEnumerable<string> TimeFaults(StickinessOptions options)
    {
        if (options.Duration < TimeSpan.FromMinutes(1) || options.Duration > TimeSpan.FromDays(30))
        {
            yield return $"Affinity:Stickiness:Duration is {options.Duration}. Use 00:01:00 to 30.00:00:00; the default is 01:00:00.";
        }

        if (options.TrackDuration < TimeSpan.FromMinutes(1) || options.TrackDuration > TimeSpan.FromDays(7))
        {
            yield return $"Affinity:Stickiness:TrackDuration is {options.TrackDuration}. Use 00:01:00 to 7.00:00:00, so that an old version empties within a week; the default is 1.00:00:00.";
        }

        if (options.RepairLimit is < 0 or > Binding.MaxRepairs)
        {
            yield return $"Affinity:Stickiness:RepairLimit is {options.RepairLimit}. Use 0 to {Binding.MaxRepairs}; the default is 3.";
        }
    }

    private static IEnumerable<string> LoadFaults(StickinessOptions options)
    {
        if (options.ReleaseAbove is not (null or (>= 1.02 and <= 100)))
        {
            yield return "Affinity:Stickiness:ReleaseAbove must be from 1.02 to 100, a multiple of the mean load, as nodes that differ by less are even; leave it out to release nobody.";
        }

        if (options.ReleaseShare is not (>= 0 and <= 0.5))
        {
            yield return "Affinity:Stickiness:ReleaseShare must be from 0 to 0.5, a share of a node's bound visitors; the default is 0.05.";
        }

        if (options.ReleaseInterval < TimeSpan.FromSeconds(1) || options.ReleaseInterval > TimeSpan.FromHours(1))
        {
            yield return $"Affinity:Stickiness:ReleaseInterval is {options.ReleaseInterval}. Use 00:00:01 to 01:00:00; the default is 00:00:10.";
        }
    }

    private static bool IsToken(string? name) => name is { Length: > 0 and <= MaxNameLength } && !name.AsSpan().ContainsAnyExcept(TokenLetters);

    private static string NotOneOf<T>(string option)
        where T : struct, Enum => $"Affinity:Stickiness:{option} must be one of {string.Join(", ", Enum.GetNames<T>())}.";
}
