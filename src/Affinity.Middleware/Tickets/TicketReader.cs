namespace Affinity.Tickets;

/// <summary>Judges the ticket cookies of a request. Waits only when a ticket names a key that this node does not know.</summary>
internal sealed class TicketReader(TicketCodec codec, ISigningKeys keys, VerifiedTickets verified)
{
    private static readonly TicketReading Headless = new(TicketVerdict.Refused, TicketReasons.ChunkMissing, Ticket: null);

    public ValueTask<TicketReading> ReadAsync(in TicketTexts texts, CancellationToken cancellationToken)
    {
        if (texts.Count == 0)
        {
            return ValueTask.FromResult(texts.IsHeadless ? Headless : TicketReading.None);
        }

        if (texts.Count == 1 && verified.Find(texts[0]) is { } known)
        {
            return ValueTask.FromResult(known);
        }

        var verdict = default(Tally);
        for (var i = 0; i < texts.Count; i++)
        {
            var decoding = Decode(texts, i);
            if (decoding.UnknownKey is not null)
            {
                return ReadWithLookUpsAsync(texts, cancellationToken);
            }

            verdict.Add(decoding);
        }

        var reading = verdict.Conclude(texts.More);
        if (texts.Count == 1 && ReferenceEquals(reading.Reason, TicketReasons.Valid) && verdict.Key is { } key)
        {
            verified.Add(texts[0], key, reading);
        }

        return ValueTask.FromResult(reading);
    }

    private TicketDecoding Decode(in TicketTexts texts, int index) =>
        texts.FaultOf(index) is { } fault ? TicketDecoding.Refused(fault) : codec.Decode(texts[index], keys);

    private async ValueTask<TicketReading> ReadWithLookUpsAsync(TicketTexts texts, CancellationToken cancellationToken)
    {
        var unknown = new List<SigningKeyId>(texts.Count);
        for (var i = 0; i < texts.Count; i++)
        {
            if (Decode(texts, i).UnknownKey is { } id)
            {
                unknown.Add(id);
            }
        }

        var unreachable = await keys.LookUpAllAsync(unknown, cancellationToken);
        var verdict = default(Tally);
        for (var i = 0; i < texts.Count; i++)
        {
            var decoding = Decode(texts, i);
            verdict.Add(decoding.UnknownKey is { } id && unreachable.Contains(id) ? TicketDecoding.Refused(TicketReasons.KeysUnreachable) : decoding);
        }

        return verdict.Conclude(texts.More);
    }

    /// <summary>Adds up what the different values are. Equal texts were counted once, so two genuine tickets do differ.</summary>
    private struct Tally
    {
        private TicketDecoding _genuine;
        private string? _firstFault;
        private bool _ambiguous;
        private bool _unverifiable;

        /// <summary>What has signed the genuine one.</summary>
        public readonly SigningKey? Key => _genuine.Key;

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
