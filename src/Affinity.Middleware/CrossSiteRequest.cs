using Microsoft.AspNetCore.Http;

namespace Affinity;

/// <summary>
/// Tells whether a browser sent a request for a page of another site, which would carry the visitor's cookies along. Without a token, by what browsers say themselves, as Go's
/// <c>http.CrossOriginProtection</c> does: <c>Sec-Fetch-Site</c> (Fetch Metadata, all browsers since 2023), and for older ones <c>Origin</c> (RFC 6454). A client that sends neither is no browser.
/// </summary>
internal static class CrossSiteRequest
{
    public static bool Is(HttpRequest request)
    {
        // Two values of one header make one text with a comma, which equals nothing below.
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0)
        {
            return site is not ("same-origin" or "none");
        }

        var origin = request.Headers.Origin.ToString();
        return origin.Length > 0 && !string.Equals(HostOf(origin), request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Host and port as browsers write them, the port only when it is not the scheme's own, as in <c>Host</c>. Null for an origin that names no host.</summary>
    private static string? HostOf(string origin) =>
        origin.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme && origin.Length > scheme + 3 ? origin[(scheme + 3)..] : null;
}
