using System.Globalization;

namespace Affinity.TestKit;

/// <summary>Reads a Set-Cookie header as a browser does (RFC 6265bis, section 5.6 and 5.7, with Chromium's limits).</summary>
internal static class SetCookieLine
{
    private const int MaxNameAndValue = 4096;
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(400);

    /// <summary>The cookie, or why a browser would refuse it.</summary>
    public static (VisitorCookie? Cookie, string? Refusal) Read(string line, Uri address, DateTimeOffset now)
    {
        var parts = line.Split(';');
        if (parts[0].Split('=', 2, StringSplitOptions.TrimEntries) is not [{ Length: > 0 } name, var value])
        {
            return (null, "it has no name");
        }

        var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts.Skip(1))
        {
            // The last of an attribute's duplicates counts.
            var pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            attributes[pair[0]] = pair.Length > 1 ? pair[1] : "";
        }

        var domain = attributes.GetValueOrDefault("Domain", "").TrimStart('.').ToLowerInvariant();
        var cookie = new VisitorCookie
        {
            Name = name,
            Value = value,
            Host = domain.Length > 0 ? domain : address.Host,
            HostOnly = domain.Length == 0,
            Path = attributes.GetValueOrDefault("Path", "").StartsWith('/') ? attributes["Path"] : DefaultPath(address),
            Secure = attributes.ContainsKey("Secure"),
            HttpOnly = attributes.ContainsKey("HttpOnly"),
            SameSite = attributes.GetValueOrDefault("SameSite"),
            Expires = ExpiryOf(attributes, now),
        };
        return Refusal(cookie, attributes, address) is { } refusal ? (null, refusal) : (cookie, null);
    }

    private static string? Refusal(VisitorCookie cookie, Dictionary<string, string> attributes, Uri address) => cookie switch
    {
        _ when cookie.Name.Length + cookie.Value.Length > MaxNameAndValue => $"name and value together exceed {MaxNameAndValue} bytes",
        _ when (cookie.Name + cookie.Value).Any(char.IsControl) => "it contains a control character",
        { HostOnly: false } when !CookieJar.DomainMatches(address.Host, cookie.Host) => "its domain is not the host's",
        { Secure: true } when !CookieJar.IsTrustworthy(address) => "it is Secure and came over plain http",
        { Secure: false, SameSite: { } site } when site.Equals("None", StringComparison.OrdinalIgnoreCase) => "SameSite=None needs Secure",
        { Secure: false } when IsPrefixed(cookie, "__Secure-") => "__Secure- needs Secure",
        _ when IsPrefixed(cookie, "__Host-") && !(cookie is { Secure: true, HostOnly: true } && attributes.GetValueOrDefault("Path") is "/")
            => "__Host- needs Secure, Path=/ and no Domain",
        _ => null,
    };

    private static bool IsPrefixed(VisitorCookie cookie, string prefix) => cookie.Name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    // Max-Age wins over Expires wherever it stands; one that can't be read is as if it weren't there.
    private static DateTimeOffset? ExpiryOf(Dictionary<string, string> attributes, DateTimeOffset now)
    {
        if (long.TryParse(attributes.GetValueOrDefault("Max-Age"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            return seconds <= 0 ? DateTimeOffset.MinValue : now + TimeSpan.FromSeconds(Math.Min(seconds, LongestLife.TotalSeconds));
        }

        return DateTimeOffset.TryParse(attributes.GetValueOrDefault("Expires"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires)
            ? expires < now + LongestLife ? expires : now + LongestLife
            : null;
    }

    private static string DefaultPath(Uri address) => address.AbsolutePath.LastIndexOf('/') is var slash and > 0 ? address.AbsolutePath[..slash] : "/";
}
