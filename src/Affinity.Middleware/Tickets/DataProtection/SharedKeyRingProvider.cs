using Affinity.Diagnostics;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// The framework's key ring, made anew whenever the elements of the vault have grown. The framework's own provider answers a stale ring while it reloads, and for up to 24 hours
/// it does not look at all; here the request that has met a new key is served with it.
/// </summary>
/// <param name="ring">The elements.</param>
/// <param name="create">A framework provider that has loaded nothing yet.</param>
/// <param name="unknown">What to do about a key id that is not there.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to tell.</param>
internal sealed class SharedKeyRingProvider(
    VaultRing ring, Func<IKeyRingProvider> create, UnknownKeys unknown, TimeProvider time, ILogger<SharedKeyRingProvider> logger) : IKeyRingProvider
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _loading = new();
    private volatile Loaded? _loaded;
    private volatile SharedKeyRing? _last;
    private Failure? _failure;

    /// <summary>Whether there are keys to work with.</summary>
    public bool IsLoaded => _loaded is not null;

    public IKeyRing GetCurrentKeyRing()
    {
        var inner = Current();
        return _last is { } last && ReferenceEquals(last.Inner, inner) ? last : _last = new SharedKeyRing(this, inner);
    }

    private IKeyRing Current()
    {
        var loaded = _loaded;
        if (loaded is null || !ReferenceEquals(loaded.Elements, ring.Elements))
        {
            loaded = Load();
        }

        return loaded.Provider.GetCurrentKeyRing();
    }

    private Loaded Load()
    {
        lock (_loading)
        {
            // Taken before loading: what comes in meanwhile, our own new key too, makes the next call load again.
            var elements = ring.Elements;
            var former = _loaded;
            if (former is not null && ReferenceEquals(former.Elements, elements))
            {
                return former;
            }

            if (_failure is { } failure && time.GetElapsedTime(failure.At) < PauseAfterFailure)
            {
                return former ?? throw new KeyVaultException("The Data Protection keys could not be loaded a moment ago; the node tries again by itself.", failure.Exception);
            }

            try
            {
                var provider = create();
                provider.GetCurrentKeyRing();
                _failure = null;
                logger.DataProtectionKeysReloaded(elements.Count);
                return _loaded = new Loaded(elements, provider);
            }
            catch (Exception exception)
            {
                _failure = new Failure(time.GetTimestamp(), exception);
                logger.DataProtectionKeysNotLoaded(exception);
                if (former is null)
                {
                    throw;
                }

                return former;
            }
        }
    }

    private sealed record Loaded(IReadOnlyList<string> Elements, IKeyRingProvider Provider);

    private sealed record Failure(long At, Exception Exception);

    private sealed class SharedKeyRing(SharedKeyRingProvider owner, IKeyRing inner) : IKeyRing
    {
        public IKeyRing Inner => inner;

        public IAuthenticatedEncryptor? DefaultAuthenticatedEncryptor => inner.DefaultAuthenticatedEncryptor;

        public Guid DefaultKeyId => inner.DefaultKeyId;

        public IAuthenticatedEncryptor? GetAuthenticatedEncryptorByKeyId(Guid keyId, out bool isRevoked)
        {
            var encryptor = inner.GetAuthenticatedEncryptorByKeyId(keyId, out isRevoked);
            return encryptor is null && owner.CatchUp(keyId)
                ? owner.Current().GetAuthenticatedEncryptorByKeyId(keyId, out isRevoked)
                : encryptor;
        }
    }

    private bool CatchUp(Guid keyId) => unknown.CatchUp(keyId);
}
