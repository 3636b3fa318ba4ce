using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Affinity.Tickets;

/// <summary>
/// The secret that names a session: 128 random bits. Whoever knows it and can sign a ticket has the session, so it never reaches a log,
/// a metric or the store: <see cref="ToString"/> is a fingerprint and the store is given a hash.
/// <c>default</c> is no session and throws when it is used.
/// </summary>
public readonly struct SessionId : IEquatable<SessionId>
{
    /// <summary>Bytes of an id on the wire.</summary>
    public const int Size = 16;

    private static readonly byte[] FingerprintKey = "Affinity session fingerprint"u8.ToArray();

    private readonly UInt128 _value;

    private SessionId(UInt128 value) => _value = value;

    /// <summary>Whether this is <c>default</c>, which names no session.</summary>
    public bool IsDefault => _value == UInt128.Zero;

    /// <summary>A new random id.</summary>
    public static SessionId Create()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        return new SessionId(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Reads the 16 bytes of <see cref="Write"/>; false for another length or for all zeros.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SessionId id)
    {
        id = bytes.Length == Size ? new SessionId(BinaryPrimitives.ReadUInt128BigEndian(bytes)) : default;
        return !id.IsDefault;
    }

    /// <summary>Writes 16 bytes.</summary>
    public void Write(Span<byte> destination) =>
        BinaryPrimitives.WriteUInt128BigEndian(destination, Checked());

    /// <summary>A short text for logs and for <see cref="Microsoft.AspNetCore.Http.ISession.Id"/>: equal on every node, leads neither to the id nor to the store's key.</summary>
    public string ToFingerprint()
    {
        Span<byte> id = stackalloc byte[Size];
        Write(id);
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(FingerprintKey, id, mac);
        return Base64Url.EncodeToString(mac[..9]);
    }

    /// <inheritdoc/>
    public bool Equals(SessionId other) => _value == other._value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SessionId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode();

    /// <summary>Equality of the two secrets.</summary>
    public static bool operator ==(SessionId left, SessionId right) => left.Equals(right);

    /// <summary>Inequality of the two secrets.</summary>
    public static bool operator !=(SessionId left, SessionId right) => !left.Equals(right);

    /// <summary>The fingerprint, so that a careless log line leaks nothing.</summary>
    public override string ToString() => IsDefault ? "(none)" : ToFingerprint();

    private UInt128 Checked() => IsDefault
        ? throw new InvalidOperationException("default(SessionId) names no session; use SessionId.Create.")
        : _value;
}
