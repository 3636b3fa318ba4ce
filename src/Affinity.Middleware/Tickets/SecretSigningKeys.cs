using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Affinity.Tickets;

/// <summary>
/// Signing keys out of <c>Affinity:Secrets</c>: one per secret and week, by HKDF-SHA256 (RFC 5869). Every node derives the same ones, so they rotate
/// without storage, without a race and without logging anybody out, and work while the backend is away.
/// </summary>
internal sealed class SecretSigningKeys : ISigningKeys
{
    private readonly SecretKeys[] _secrets;
    private readonly TimeProvider _time;

    public SecretSigningKeys(IReadOnlyList<string> secrets, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfZero(secrets.Count, nameof(secrets));
        _secrets = [.. secrets.Select(secret => new SecretKeys(secret))];
        _time = time;
    }

    /// <summary>How many secrets there are.</summary>
    public int SecretCount => _secrets.Length;

    public SigningKey Current => _secrets[0].Of(SigningWeeks.At(_time.GetUtcNow()));

    public bool TryFind(SigningKeyId id, [NotNullWhen(true)] out SigningKey? key)
    {
        key = null;
        var week = WeekOf(id);
        if (!SigningWeeks.Accepts(week, _time.GetUtcNow()) || SecretOf(id) is not { } secret)
        {
            return false;
        }

        key = _secrets[secret].Of(week);
        return true;
    }

    /// <summary>Which secret, counted from 0, the key of this id comes from, whether it still counts or not; null: none of them.</summary>
    public int? SecretOf(SigningKeyId id)
    {
        var fingerprint = (uint)(id.Value >> 32);
        for (var i = 0; i < _secrets.Length; i++)
        {
            if (_secrets[i].Fingerprint == fingerprint)
            {
                return i;
            }
        }

        return null;
    }

    /// <summary>The week of a key that comes from a secret.</summary>
    public static uint WeekOf(SigningKeyId id) => (uint)id.Value;

    /// <summary>There is nobody to ask: what does not follow from the secrets is no key of ours.</summary>
    public ValueTask<KeyLookup> LookUpAsync(SigningKeyId id, CancellationToken cancellationToken) =>
        ValueTask.FromResult(TryFind(id, out var key) ? KeyLookup.Found(key) : KeyLookup.Unknown);

    /// <summary>The keys of one secret. Holds one key per accepted week and never more, whatever ids are asked for.</summary>
    private sealed class SecretKeys
    {
        private readonly byte[] _secret;
        private readonly Week?[] _weeks = new Week?[SigningWeeks.MaxAccepted];

        public SecretKeys(string text)
        {
            if (!SecretsValidator.TryDecode(text, out _secret))
            {
                throw new ArgumentException("Affinity:Secrets holds an entry that is not base64.", nameof(text));
            }

            Span<byte> fingerprint = stackalloc byte[sizeof(uint)];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, fingerprint, salt: [], "Affinity v1 secret fingerprint"u8);
            Fingerprint = BinaryPrimitives.ReadUInt32BigEndian(fingerprint);
        }

        /// <summary>Tells the secrets apart in a key id. Derived, so that it is no check value for guessing the secret's other uses.</summary>
        public uint Fingerprint { get; }

        public SigningKey Of(uint week)
        {
            // Two threads may derive the same key; either one will do.
            ref var slot = ref _weeks[week % SigningWeeks.MaxAccepted];
            var known = Volatile.Read(ref slot);
            if (known is null || known.Number != week)
            {
                Volatile.Write(ref slot, known = new Week(week, Derive(week)));
            }

            return known.Key;
        }

        private SigningKey Derive(uint week)
        {
            // The text has a fixed length and the week comes last, so no two pairs of purpose and week look alike.
            ReadOnlySpan<byte> purpose = "Affinity v1 ticket week "u8;
            Span<byte> info = stackalloc byte[purpose.Length + sizeof(uint)];
            purpose.CopyTo(info);
            BinaryPrimitives.WriteUInt32BigEndian(info[purpose.Length..], week);
            Span<byte> key = stackalloc byte[SigningKey.Size];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, key, salt: [], info);
            return new SigningKey(new SigningKeyId(((ulong)Fingerprint << 32) | week), key);
        }
    }

    private sealed record Week(uint Number, SigningKey Key);
}
