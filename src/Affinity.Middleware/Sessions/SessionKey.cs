using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>
/// The name of a session in the store: the base64url form (43 characters) of the SHA-256 hash of its <see cref="SessionId"/>.
/// <c>default</c> throws when it is used.
/// </summary>
public readonly record struct SessionKey
{
    private const int Length = 43;

    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private readonly string? _value;

    private SessionKey(string value) => _value = value;

    /// <summary>43 characters of base64url.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default(SessionKey)</c>.</exception>
    public string Value => _value ?? throw new InvalidOperationException("default(SessionKey) names no session; use SessionKey.Of.");

    /// <summary>The key of a session. A dump of the store holds hashes and opens no session.</summary>
    public static SessionKey Of(SessionId id)
    {
        Span<byte> bytes = stackalloc byte[SessionId.Size];
        id.Write(bytes);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new SessionKey(Base64Url.EncodeToString(hash));
    }

    /// <summary>Reads <see cref="Value"/>; false for whatever cannot be one.</summary>
    internal static bool TryParse(string text, out SessionKey key)
    {
        var isKey = text.Length == Length && !text.AsSpan().ContainsAnyExcept(Letters);
        key = isKey ? new SessionKey(text) : default;
        return isKey;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}
