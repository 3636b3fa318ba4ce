using Affinity.Tickets;
using Microsoft.AspNetCore.Http;

namespace Affinity.Stickiness;

/// <summary>
/// The cookie that carries the signed binding, read and written raw. It is not the ticket's, because issuing a ticket for the binding's sake could bring back, from a slow parallel response, a
/// ticket of an older generation or version, and with that log the visitor out. It is there only where <see cref="StickinessRules.NeedsSigned"/> says so.
/// </summary>
internal sealed class BindingCookie
{
    private readonly ISigningKeys _keys;
    private readonly BindingCodec _codec;
    private readonly BindingReader _reader;
    private readonly string _attributes;

    /// <param name="scope">Whose bindings these are.</param>
    /// <param name="keys">What signs and verifies them, as it does tickets.</param>
    /// <param name="ticket">How the ticket travels.</param>
    public BindingCookie(TicketScope scope, ISigningKeys keys, TicketOptions ticket)
    {
        _keys = keys;
        Name = NameOf(TicketCookie.NameOf(ticket));
        _codec = new BindingCodec(scope.Application, Name);
        _reader = new BindingReader(_codec, keys);
        _attributes = CompanionCookie.Attributes(ticket);
    }

    public string Name { get; }

    /// <summary>The name beside a ticket of this name: two apps of one host whose tickets have names of their own do not overwrite each other's bindings.</summary>
    public static string NameOf(string ticketName) => $"{ticketName}-binding";

    /// <summary>What the request's cookie says. Waits only for a key that this node does not know.</summary>
    public ValueTask<BindingReading> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reader.ReadAsync(CookieValues.Read(request.Headers.Cookie, Name), cancellationToken);

    /// <summary>
    /// Hands the visitor a binding. False, and nothing is written, when there is no key to sign with or the binding is not <see cref="Binding.IsSane"/>: no response fails for want of it.
    /// Not to be called when the reading was <see cref="BindingVerdict.Unverifiable"/>.
    /// </summary>
    /// <param name="response">The response, whose headers have not been sent.</param>
    /// <param name="binding">The binding.</param>
    /// <param name="maxAge">For how long, in whole seconds, rounded up: to the later of its ends; null: until the browser closes.</param>
    public bool TryWrite(HttpResponse response, Binding binding, TimeSpan? maxAge)
    {
        if (_keys.Current is not { } key || !binding.IsSane)
        {
            return false;
        }

        UncacheableCookie.Append(response.Headers, $"{Name}={_codec.Encode(binding, key)}{_attributes}{UncacheableCookie.MaxAge(maxAge)}");
        return true;
    }

    /// <summary>Takes the visitor's binding away. Not to be called when the reading was <see cref="BindingVerdict.Unverifiable"/>.</summary>
    public void Remove(HttpResponse response) => UncacheableCookie.Append(response.Headers, $"{Name}={_attributes}{UncacheableCookie.Deletion}");
}
