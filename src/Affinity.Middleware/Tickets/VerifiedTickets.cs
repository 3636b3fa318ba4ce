using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Affinity.Tickets;

/// <summary>
/// The tickets that this node has verified lately: a text that is the same to the last character needs no second MAC, as long as its key counts and its time has not run out. Of two texts that fall on one
/// place the later one stays, so memory is bounded, to about 8 MB, or 30 MB while all tickets carry short journals. A text of more than <see cref="MaxLength"/> characters, with a journal, is verified each time. The part that proves the ticket is compared in a time that tells nothing of where it differs. Safe for concurrent use.
/// </summary>
internal sealed class VerifiedTickets(ISigningKeys keys, TimeProvider time)
{
    /// <summary>The longest text that is remembered.</summary>
    public const int MaxLength = 512;

    private const int Places = 16_384;
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    // The last characters hold the whole MAC of 32 bytes and a little of what it signs.
    private const int ProofLength = 48;

    // Four characters of the MAC, 24 bits that nobody can choose who has no key. The very last one of a text carries fewer bits.
    private const int PlaceLength = 4;
    private const int PlaceFromEnd = PlaceLength + 2;

    private readonly Verified?[] _places = new Verified?[Places];

    /// <summary>What was found out about a text; null when it has to be verified.</summary>
    public TicketReading? Find(ReadOnlySpan<char> text)
    {
        if (text.Length is <= ProofLength or > MaxLength || Volatile.Read(ref _places[PlaceOf(text)]) is not { } known)
        {
            return null;
        }

        Span<byte> proof = stackalloc byte[ProofLength];
        Encoding.Latin1.GetBytes(text[^ProofLength..], proof);
        return CryptographicOperations.FixedTimeEquals(proof, known.Proof)

            // Whoever comes here has the MAC, so there is nothing left to learn from how long this takes.
            && text.SequenceEqual(known.Text)
            && keys.TryFind(known.Key.Id, out var key) && ReferenceEquals(key, known.Key)
            && time.GetUtcNow() < known.Reading.Ticket!.Expires
            ? known.Reading
            : null;
    }

    /// <summary>Remembers a text that was verified with <paramref name="key"/>, unless it is a long one.</summary>
    public void Add(ReadOnlySpan<char> text, SigningKey key, TicketReading reading)
    {
        if (text.Length > MaxLength)
        {
            return;
        }

        var verified = new Verified(text.ToString(), Encoding.Latin1.GetBytes(text[^ProofLength..].ToString()), key, reading);
        Volatile.Write(ref _places[PlaceOf(text)], verified);
    }

    private static int PlaceOf(ReadOnlySpan<char> text)
    {
        var bits = MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(text.Slice(text.Length - PlaceFromEnd, PlaceLength)));
        return (int)((bits * GoldenRatio) >> ((sizeof(ulong) * 8) - BitOperations.Log2(Places)));
    }

    private sealed record Verified(string Text, byte[] Proof, SigningKey Key, TicketReading Reading);
}
