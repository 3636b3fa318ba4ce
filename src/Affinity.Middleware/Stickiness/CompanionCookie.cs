using Affinity.Tickets;
using Microsoft.AspNetCore.Http;

namespace Affinity.Stickiness;

/// <summary>What the cookies beside the ticket have in common: they go where it goes.</summary>
internal static class CompanionCookie
{
    /// <summary>
    /// Everything behind the value but a time. In a frame of another site browsers neither keep nor send what is not <c>SameSite=None</c>, so a ticket that is takes these along. Strict is for the ticket alone:
    /// a visitor who follows a link is to come to their node, too.
    /// </summary>
    public static string Attributes(TicketOptions ticket) =>
        $"; Path=/{(ticket.InsecureAllowHttp ? "" : "; Secure")}; HttpOnly; SameSite={(ticket.SameSite == SameSiteMode.None ? SameSiteMode.None : SameSiteMode.Lax)}";
}
