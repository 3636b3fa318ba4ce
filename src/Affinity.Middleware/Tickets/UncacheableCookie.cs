using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Affinity.Tickets;

/// <summary>
/// Puts a cookie of one visitor on a response and keeps the response out of caches, which would hand the cookie to others: with a ticket the session,
/// with a route a whole cache's visitors to one node.
/// </summary>
internal static class UncacheableCookie
{
    /// <summary>The attributes that take a cookie away, behind those that it was set with.</summary>
    public const string Deletion = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

    /// <summary>The attribute that lets a cookie outlive the browser: for whole seconds, rounded up; nothing for null.</summary>
    public static string MaxAge(TimeSpan? time) =>
        time is { } age ? string.Create(CultureInfo.InvariantCulture, $"; Max-Age={Math.Ceiling(age.TotalSeconds):F0}") : "";

    /// <summary>Adds a line to <c>Set-Cookie</c>, raw, whatever the app said about caching.</summary>
    public static void Append(IHeaderDictionary headers, string line)
    {
        headers.SetCookie = StringValues.Concat(headers.SetCookie, line);
        headers.CacheControl = "no-store";

        // The targeted fields (RFC 9213) would overrule Cache-Control.
        headers.Remove("CDN-Cache-Control");
        headers.Remove("Surrogate-Control");
        VaryByCookie(headers);
    }

    private static void VaryByCookie(IHeaderDictionary headers)
    {
        foreach (var line in headers.Vary)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var field = line.AsSpan()[range].Trim();
                if (field.Equals(HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase) || field is "*")
                {
                    return;
                }
            }
        }

        headers.Vary = StringValues.Concat(headers.Vary, HeaderNames.Cookie);
    }
}
