using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Affinity.Tickets;

/// <summary>
/// The key manager as the framework's key ring sees it: a key that the ring asks for by itself goes into the vault only while no other node has added one for the same time.
/// The app's own <see cref="IKeyManager"/> is the framework's: a key that the app creates, and every revocation, always goes in.
/// </summary>
internal sealed class SharedKeyManager(IKeyManager inner, KeyVaultXmlRepository repository, TimeProvider time) : IKeyManager
{
    // The framework's own constants, which it keeps to itself: clock skew between servers; refresh period plus propagation window.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ReplacedBefore = TimeSpan.FromDays(3);

    public IKey CreateNewKey(DateTimeOffset activationDate, DateTimeOffset expirationDate)
    {
        var lasts = time.GetUtcNow() + ReplacedBefore;
        lasts = lasts < expirationDate ? lasts : expirationDate;
        IKey? Other() => inner.GetAllKeys().FirstOrDefault(key => Serves(key, activationDate, lasts));

        var created = repository.StoreOnlyWhile(() => Other() is null, () => inner.CreateNewKey(activationDate, expirationDate));

        // The ring falls back to what is returned here: never to a key that no other node has.
        return inner.GetAllKeys().FirstOrDefault(key => key.KeyId == created.KeyId)
            ?? Other()
            ?? throw new KeyVaultException("A new Data Protection key is not in the key vault although no other stands for it.");
    }

    public IReadOnlyCollection<IKey> GetAllKeys() => inner.GetAllKeys();

    public CancellationToken GetCacheExpirationToken() => inner.GetCacheExpirationToken();

    public void RevokeAllKeys(DateTimeOffset revocationDate, string? reason = null) => inner.RevokeAllKeys(revocationDate, reason);

    public void RevokeKey(Guid keyId, string? reason = null) => inner.RevokeKey(keyId, reason);

    private static bool Serves(IKey key, DateTimeOffset from, DateTimeOffset lasts) =>
        !key.IsRevoked && key.ActivationDate <= from + ClockSkew && key.ExpirationDate > from && key.ExpirationDate >= lasts && CanEncrypt(key);

    private static bool CanEncrypt(IKey key)
    {
        try
        {
            return key.CreateEncryptor() is not null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A key of a format or under a certificate that this node does not have; the framework's resolver has logged it.
            return false;
        }
    }
}
