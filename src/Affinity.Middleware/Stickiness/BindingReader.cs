using Affinity.Tickets;

namespace Affinity.Stickiness;

/// <summary>
/// Judges the binding cookies of a request: the first genuine one in the header counts, whatever else is there, as a binding is no credential and two of them are no attack.
/// Waits only when none is genuine and one names a key that this node does not know.
/// </summary>
internal sealed class BindingReader(BindingCodec codec, ISigningKeys keys)
{
    public ValueTask<BindingReading> ReadAsync(in CookieValues values, CancellationToken cancellationToken)
    {
        var reading = Judge(values, out var unknown);
        return unknown is null || reading.Verdict == BindingVerdict.Valid
            ? ValueTask.FromResult(reading)
            : ReadWithLookUpsAsync(values, unknown, cancellationToken);
    }

    private async ValueTask<BindingReading> ReadWithLookUpsAsync(CookieValues values, List<SigningKeyId> unknown, CancellationToken cancellationToken)
    {
        var unreachable = await keys.LookUpAllAsync(unknown, cancellationToken);
        var reading = Judge(values, out var stillUnknown);
        return reading.Verdict != BindingVerdict.Valid && stillUnknown?.Exists(unreachable.Contains) == true
            ? BindingReading.Unverifiable
            : reading;
    }

    /// <summary>The verdict by the keys that this node knows, and the others that it met; null: none.</summary>
    private BindingReading Judge(in CookieValues values, out List<SigningKeyId>? unknown)
    {
        unknown = null;
        string? firstFault = null;
        for (var i = 0; i < values.Count; i++)
        {
            var decoding = codec.Decode(values[i].Span, keys);
            if (decoding.Binding is { } binding)
            {
                return BindingReading.Valid(binding);
            }

            firstFault ??= decoding.Reason;
            if (decoding.UnknownKey is { } id)
            {
                (unknown ??= []).Add(id);
            }
        }

        return firstFault is null ? BindingReading.None : BindingReading.Refused(values.More ? TicketReasons.TooMany : firstFault);
    }
}
