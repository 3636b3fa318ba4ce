using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Affinity.Tickets;

/// <summary>
/// The cookie that carries the ticket, written and read raw. It has no Domain, no Expires and no Max-Age: it lives as long as the browser does and the ticket
/// itself says until when it counts.
/// </summary>
internal sealed class TicketCookie
{
    private readonly string _attributes;

    public TicketCookie(TicketOptions options)
    {
        Name = NameOf(options);
        _attributes = string.Create(
            CultureInfo.InvariantCulture,
            $"; Path=/{(options.InsecureAllowHttp ? "" : "; Secure")}; HttpOnly; SameSite={options.SameSite}");
    }

    public string Name { get; }

    /// <summary>The name that the options lead to.</summary>
    public static string NameOf(TicketOptions options) =>
        options.CookieName ?? (options.InsecureAllowHttp ? "affinity-insecure" : "__Host-affinity");

    public CookieValues Read(HttpRequest request) => CookieValues.Read(request.Headers.Cookie, Name);

    /// <summary>Hands the visitor a ticket.</summary>
    public void Write(HttpResponse response, string value) => Append(response.Headers, $"{Name}={value}{_attributes}");

    /// <summary>Takes the visitor's ticket away.</summary>
    public void Remove(HttpResponse response) =>
        Append(response.Headers, $"{Name}={_attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");

    private static void Append(IHeaderDictionary headers, string line)
    {
        headers.SetCookie = StringValues.Concat(headers.SetCookie, line);

        // A cache that kept this response would hand one visitor's session to the next. The targeted fields (RFC 9213) would overrule Cache-Control.
        headers.CacheControl = "no-store";
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
