using Microsoft.AspNetCore.Http;

namespace Affinity.Tickets;

/// <summary>The cookie that carries the ticket: section <c>Affinity:Ticket</c>.</summary>
public sealed class TicketOptions
{
    /// <summary>
    /// The cookie's name. Null (the default): <c>__Host-affinity</c>, or <c>affinity-insecure</c> with <see cref="InsecureAllowHttp"/>. The signed binding's cookie has this name and <c>-binding</c>.
    /// A name with <c>__Host-</c> or <c>__Secure-</c> is refused with <see cref="InsecureAllowHttp"/>, as browsers would drop it.
    /// </summary>
    public string? CookieName { get; set; }

    /// <summary>Lax by default: the ticket comes along when somebody follows a link to the app, and not with foreign posts. None, for apps in a frame of another site, makes the route cookie and the signed binding None too.</summary>
    public SameSiteMode SameSite { get; set; } = SameSiteMode.Lax;

    /// <summary>
    /// The longest that the ticket's cookies may become, names and values together, in characters. Beyond the 150 or so of every ticket there is room for what the store could not be told
    /// (<c>Affinity:Sessions:OnStoreAway</c>), or for the session itself (<c>Affinity:Sessions:Carrier</c>); a change that would make it longer is an error. 400 to 16,000; 3,400 by default, as nginx passes no more than
    /// about 4 KiB of response headers unless it is told to. Up to 4,050 it is one cookie, as browsers keep no longer one; above, up to four, which count as a whole or not at all.
    /// </summary>
    public int MaxBytes { get; set; } = 3400;

    /// <summary>
    /// For development without TLS: the cookie loses Secure and its <c>__Host-</c> name. Anybody on the way can then read and take over sessions. Off by default; a warning at start when on.
    /// </summary>
    public bool InsecureAllowHttp { get; set; }
}
