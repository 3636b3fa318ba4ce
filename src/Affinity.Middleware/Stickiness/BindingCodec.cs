using Affinity.Tickets;

namespace Affinity.Stickiness;

/// <summary>
/// The wire format of a signed binding: a <see cref="SignedEnvelope"/> of kind 0x02 and the constant "Affinity binding" around the bytes of <see cref="Binding.Write"/>; at most 168 characters.
/// It says nothing of when it was signed and proves nothing but that one of our nodes has written it: any node can serve any request, so a copied or an old one does no harm.
/// Answers are values: no input throws.
/// </summary>
/// <param name="application">The application's name: the bindings of another one are refused.</param>
/// <param name="cookieName">The name of the cookie that carries it.</param>
internal sealed class BindingCodec(string application, string cookieName)
{
    /// <summary>The longest text of a binding. A longer one is not looked at.</summary>
    public static readonly int MaxTextLength = SignedEnvelope.TextLength(Binding.MaxSize);

    /// <summary>The envelope's kind.</summary>
    public const byte Kind = 2;

    private readonly SignedEnvelope _envelope = new(Kind, "Affinity binding", application, cookieName, MaxTextLength);

    /// <summary>Writes a binding.</summary>
    /// <exception cref="ArgumentException">The binding is not <see cref="Binding.IsSane"/>.</exception>
    public string Encode(Binding binding, SigningKey key)
    {
        Span<byte> body = stackalloc byte[Binding.MaxSize];
        binding.Write(body);
        return _envelope.Seal(body[..binding.Size], key);
    }

    /// <summary>Reads a binding, whether its time has passed or not.</summary>
    public BindingDecoding Decode(ReadOnlySpan<char> text, ISigningKeys keys)
    {
        Span<byte> body = stackalloc byte[Binding.MaxSize];
        var opening = _envelope.Open(text, keys, body);
        if (!opening.IsGenuine)
        {
            return new BindingDecoding(opening.Reason, UnknownKey: opening.UnknownKey);
        }

        return Binding.TryRead(body[..opening.BodySize], out var binding)
            ? new BindingDecoding(TicketReasons.Valid, binding)
            : new BindingDecoding(TicketReasons.BadBody);
    }
}

/// <summary>What one text turned out to be.</summary>
/// <param name="Reason">One of <see cref="TicketReasons"/>.</param>
/// <param name="Binding">The binding when the reason is <see cref="TicketReasons.Valid"/>, else null.</param>
/// <param name="UnknownKey">Which key it names when the reason is <see cref="TicketReasons.UnknownKey"/>, else null.</param>
internal readonly record struct BindingDecoding(string Reason, Binding? Binding = null, SigningKeyId? UnknownKey = null);
