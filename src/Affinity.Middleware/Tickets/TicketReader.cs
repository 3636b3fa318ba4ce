using System.Diagnostics;

namespace Affinity.Tickets;

/// <summary>Judges the ticket cookies of a request. Waits only when a ticket names a key that this node does not know.</summary>
internal sealed class TicketReader(TicketCodec codec, ISigningKeys keys)
{
    public ValueTask<TicketReading> ReadAsync(in CookieValues values, CancellationToken cancellationToken)
    {
        if (values.Count == 0)
        {
            return ValueTask.FromResult(TicketReading.None);
        }

        var verdict = default(Tally);
        for (var i = 0; i < values.Count; i++)
        {
            var decoding = codec.Decode(values[i].Span, keys);
            if (decoding.UnknownKey is not null)
            {
                return ReadWithLookUpsAsync(values, cancellationToken);
            }

            verdict.Add(decoding);
        }

        return ValueTask.FromResult(verdict.Conclude(values.More));
    }

    private async ValueTask<TicketReading> ReadWithLookUpsAsync(CookieValues values, CancellationToken cancellationToken)
    {
        // All are asked before the first is awaited, so that they share one wait.
        var lookUps = new Task<KeyLookup>?[values.Count];
        for (var i = 0; i < values.Count; i++)
        {
            lookUps[i] = codec.Decode(values[i].Span, keys).UnknownKey is { } id ? keys.LookUpAsync(id, cancellationToken).AsTask() : null;
        }

        var verdict = default(Tally);
        for (var i = 0; i < values.Count; i++)
        {
            var decoding = codec.Decode(values[i].Span, keys);
            if (decoding.UnknownKey is not null && lookUps[i] is { } lookUp)
            {
                decoding = (await lookUp).Kind switch
                {
                    KeyLookupKind.Found => codec.Decode(values[i].Span, keys),
                    KeyLookupKind.Unknown => decoding,
                    KeyLookupKind.Unreachable => TicketDecoding.Refused(TicketReasons.KeysUnreachable),
                    _ => throw new UnreachableException(),
                };
            }

            verdict.Add(decoding);
        }

        return verdict.Conclude(values.More);
    }

    /// <summary>Adds up what the different values are. Equal texts were counted once, so two genuine tickets do differ.</summary>
    private struct Tally
    {
        private TicketDecoding _genuine;
        private string? _firstFault;
        private bool _ambiguous;
        private bool _unverifiable;

        public void Add(TicketDecoding decoding)
        {
            if (decoding.Ticket is not null)
            {
                _ambiguous |= _genuine.Ticket is not null;
                _genuine = decoding;
            }
            else
            {
                _unverifiable |= ReferenceEquals(decoding.Reason, TicketReasons.KeysUnreachable);
                _firstFault ??= decoding.Reason;
            }
        }

        public readonly TicketReading Conclude(bool more)
        {
            if (_ambiguous)
            {
                return new TicketReading(TicketVerdict.Refused, TicketReasons.Ambiguous, Ticket: null);
            }

            if (_genuine.Ticket is not null)
            {
                return new TicketReading(TicketVerdict.Valid, _genuine.Reason, _genuine.Ticket);
            }

            return _unverifiable
                ? new TicketReading(TicketVerdict.Unverifiable, TicketReasons.KeysUnreachable, Ticket: null)
                : new TicketReading(TicketVerdict.Refused, more ? TicketReasons.TooMany : _firstFault!, Ticket: null);
        }
    }
}
