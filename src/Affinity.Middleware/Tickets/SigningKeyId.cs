using System.Buffers.Binary;
using System.Buffers.Text;

namespace Affinity.Tickets;

/// <summary>The public name of a signing key, as it stands in every ticket: 8 bytes that lead neither to the key nor to its secret.</summary>
internal readonly record struct SigningKeyId(ulong Value)
{
    /// <summary>Bytes of an id on the wire.</summary>
    public const int Size = sizeof(ulong);

    /// <summary>Reads the 8 bytes of <see cref="Write"/>.</summary>
    public static SigningKeyId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes));

    /// <summary>Writes 8 bytes.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    /// <summary>11 characters of base64url.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        Write(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
