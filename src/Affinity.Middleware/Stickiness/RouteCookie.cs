using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;

namespace Affinity.Stickiness;

/// <summary>
/// The cookie that tells the balancer which node is a visitor's, read and written raw: the framework's cookie API percent-encodes what a balancer compares byte for byte.
/// It proves nothing, as any node can serve any request.
/// </summary>
/// <param name="name">Its name, a token of RFC 6265.</param>
/// <param name="dialect">How its value is written.</param>
/// <param name="ticket">How the ticket travels: this cookie goes wherever that one goes, or a balancer would not lead who comes with it.</param>
internal sealed class RouteCookie(string name, GuardedDialect dialect, TicketOptions ticket)
{
    private const int TokenBytes = 12;

    // RFC 6265, section 4.1.1: cookie-octet.
    private static readonly SearchValues<char> Octets =
        SearchValues.Create("!#$%&'()*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly string _attributes = CompanionCookie.Attributes(ticket);

    /// <summary>Whether a dialect's value can stand in the header as it is.</summary>
    public static bool IsValue(string? value) => value is { Length: > 0 and <= IAffinityDialect.MaxValueLength } && !value.AsSpan().ContainsAnyExcept(Octets);

    /// <summary>
    /// What the request's cookie names. With several of one name nginx and Apache follow the first and HAProxy the first that it knows. So one that names this node counts before others, as the balancer may have
    /// followed it, and a foreign one that no new cookie replaces (it has another path) does not cause a new cookie with every response; then the first that names a node.
    /// After <see cref="CookieValues.Max"/> different ones nothing is looked at any more.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="live">As <see cref="IAffinityDialect.Read"/> takes it.</param>
    public RouteReading Read(HttpRequest request, IReadOnlyList<RouteTarget> live)
    {
        var values = CookieValues.Read(request.Headers.Cookie, name);
        var result = values.Count == 0 ? RouteReading.Absent : RouteReading.Unrecognised;
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Length > IAffinityDialect.MaxValueLength || dialect.Read(values[i].Span, live) is not { Kind: RouteReadingKind.Named } reading)
            {
                continue;
            }

            if (reading.Names(live[0].Node))
            {
                return reading;
            }

            result = result.Kind == RouteReadingKind.Named ? result : reading;
        }

        return result;
    }

    /// <summary>The same, of the request that a visit began with.</summary>
    public RouteReading Read(StickinessFeature visit, IReadOnlyList<RouteTarget> live) => Read(visit.Ticket.Response.HttpContext.Request, live);

    /// <summary>Sends the visitor to a node from now on; where the dialect does not steer, to whichever node the balancer takes a new value for.</summary>
    /// <param name="response">The response, whose headers have not been sent.</param>
    /// <param name="target">The node; with an address when the dialect needs one.</param>
    /// <param name="maxAge">For how long, in whole seconds, rounded up; null: until the browser closes.</param>
    public void Write(HttpResponse response, RouteTarget target, TimeSpan? maxAge)
    {
        // Without a value the visitor keeps what they have, and is served.
        if (dialect.Write(target, NewToken()) is not { } value)
        {
            return;
        }

        UncacheableCookie.Append(response.Headers, $"{name}={value}{_attributes}{UncacheableCookie.MaxAge(maxAge)}");
    }

    /// <summary>Takes the cookie away, so that the balancer chooses anew.</summary>
    public void Remove(HttpResponse response) => UncacheableCookie.Append(response.Headers, $"{name}={_attributes}{UncacheableCookie.Deletion}");

    private static string NewToken()
    {
        Span<byte> bytes = stackalloc byte[TokenBytes];
        RandomNumberGenerator.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
