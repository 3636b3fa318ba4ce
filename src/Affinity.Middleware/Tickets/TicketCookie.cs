using System.Globalization;
using Microsoft.AspNetCore.Http;

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
    public void Write(HttpResponse response, string value) => UncacheableCookie.Append(response.Headers, $"{Name}={value}{_attributes}");

    /// <summary>Takes the visitor's ticket away.</summary>
    public void Remove(HttpResponse response) =>
        UncacheableCookie.Append(response.Headers, $"{Name}={_attributes}{UncacheableCookie.Deletion}");
}
