namespace Affinity.Tickets;

/// <summary>Puts on the response what the stages decided about the visitor's ticket.</summary>
internal sealed class TicketWriter(TicketCodec codec, TicketCookie cookie, ISigningKeys keys)
{
    /// <exception cref="InvalidOperationException">
    /// A stage wants to replace or remove a ticket that could not be verified, or there is no key to sign with. Thrown before the first byte, so the
    /// client gets a clean error and not a success whose session it could not come back to.
    /// </exception>
    public void Write(TicketFeature feature)
    {
        if (feature.ToIssue is null && !feature.ToRemove)
        {
            return;
        }

        if (feature.Reading.Verdict == TicketVerdict.Unverifiable)
        {
            // One node that cannot read the keys would else log everybody out.
            throw new InvalidOperationException("A ticket that could not be verified must be neither replaced nor removed; answer 503 instead.");
        }

        if (feature.ToIssue is not { } ticket)
        {
            cookie.Remove(feature.Response);
            return;
        }

        var key = keys.Current
            ?? throw new InvalidOperationException(
                "No signing key is known yet: the key vault has not been reached since the start. Affinity:Secrets needs no vault.");
        cookie.Write(feature.Response, codec.Encode(ticket, key));
    }
}
