using Microsoft.AspNetCore.Http;

namespace Affinity.Tickets;

/// <summary>The cookie that carries the ticket: section <c>Affinity:Ticket</c>.</summary>
public sealed class TicketOptions
{
    /// <summary>
    /// The cookie's name. Null (the default): <c>__Host-affinity</c>, or <c>affinity-insecure</c> with <see cref="InsecureAllowHttp"/>.
    /// A name with <c>__Host-</c> or <c>__Secure-</c> is refused with <see cref="InsecureAllowHttp"/>, as browsers would drop it.
    /// </summary>
    public string? CookieName { get; set; }

    /// <summary>Lax by default: the ticket comes along when somebody follows a link to the app, and not with foreign posts.</summary>
    public SameSiteMode SameSite { get; set; } = SameSiteMode.Lax;

    /// <summary>
    /// For development without TLS: the cookie loses Secure and its <c>__Host-</c> name. Anybody on the way can then read and take over sessions. Off by default; a warning at start when on.
    /// </summary>
    public bool InsecureAllowHttp { get; set; }
}
