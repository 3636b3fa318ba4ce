using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>
/// The sessions that the app kept by <c>AddSession</c> before: a visitor who has one and no ticket yet is given its content as an Affinity session. The framework's own entry stays as it is, for the instances that still use it, until the session is ended.
/// </summary>
internal sealed class FrameworkSessions(
    FrameworkCookie cookie, IDistributedCache cache, IDataProtectionProvider protection, SessionsOptions options, TicketScope scope, TimeProvider time, AffinityMetrics metrics, ILogger<FrameworkSessions> logger)
{
    // The framework's own are shorter than 200.
    private const int LongestCookie = 512;
    private const string KeyFormat = "D";

    private static readonly byte[] Label = "Affinity session taken over from the framework"u8.ToArray();

    private readonly IDataProtector _protector = protection.CreateProtector("SessionMiddleware");

    public FrameworkCookie Cookie { get; } = cookie;

    /// <summary>Whose session the framework's cookie names; null: it is not genuine, or cannot be opened here.</summary>
    /// <param name="text">The cookie's value; null: there is none.</param>
    /// <exception cref="SessionStoreException">The keys cannot be read.</exception>
    public FrameworkSessionKey? Find(string? text)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            var bytes = new byte[LongestCookie];
            var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
            if (padded.Length <= LongestCookie && Convert.TryFromBase64String(padded, bytes, out var length)
                && Encoding.UTF8.GetString(_protector.Unprotect(bytes[..length])) is var key && Guid.TryParseExact(key, KeyFormat, out _))
            {
                return new FrameworkSessionKey(key, SessionOf(key));
            }
        }
        catch (CryptographicException)
        {
            // Forged, or protected with keys or under an application name that this instance does not have.
        }
        catch (Exception e)
        {
            throw new SessionStoreException(SessionStoreFault.NotApplied, $"The framework's session cookie cannot be opened just now: the Data Protection keys failed with {e.GetType().Name}.", e);
        }

        metrics.SessionLoaded("framework_unreadable");
        logger.FrameworkSessionUnreadable("its cookie");
        return null;
    }

    /// <summary>The content; null: there is none, or none that can be taken over.</summary>
    /// <exception cref="SessionStoreException">The cache failed.</exception>
    public async ValueTask<Dictionary<string, byte[]>?> ReadAsync(FrameworkSessionKey key, CancellationToken cancellationToken)
    {
        if (await CallAsync(token => cache.GetAsync(key.Value, token), cancellationToken) is not { } blob)
        {
            return null;
        }

        if (!FrameworkSessionBlob.TryRead(blob, out var items))
        {
            metrics.SessionLoaded("framework_unreadable");
            logger.FrameworkSessionUnreadable("its entry in the cache");
            return null;
        }

        if (SessionCodec.SizeOf(items) > options.MaxBytes)
        {
            metrics.SessionLoaded("framework_too_large");
            logger.FrameworkSessionTooLarge(key.Session.ToFingerprint(), blob.Length, options.MaxBytes);
            return null;
        }

        metrics.SessionLoaded("adopted");
        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.FrameworkSessionAdopted(key.Session.ToFingerprint(), items.Count);
        }

        return items;
    }

    /// <summary>Takes the framework's entry away, so that instances that still use it have no session either.</summary>
    /// <exception cref="SessionStoreException">The cache failed.</exception>
    public async ValueTask RemoveAsync(FrameworkSessionKey key, CancellationToken cancellationToken) => await CallAsync(
        async token =>
        {
            await cache.RemoveAsync(key.Value, token);
            return true;
        },
        cancellationToken);

    /// <summary>The same on every node: of several that take one session over at the same moment one creates it, and the others save on top of that.</summary>
    private SessionId SessionOf(string key)
    {
        var application = Encoding.UTF8.GetBytes(scope.Application);
        byte[] named = [.. Label, 0, 0, 0, 0, .. application, .. Encoding.ASCII.GetBytes(key)];
        BinaryPrimitives.WriteInt32BigEndian(named.AsSpan(Label.Length), application.Length);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(named, hash);
        return SessionId.TryRead(hash[..SessionId.Size], out var id) ? id : throw new CryptographicException("A hash of nothing but zeros.");
    }

    private async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.StoreTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await call(either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SessionStoreException(SessionStoreFault.Ambiguous, $"The cache that holds the framework's sessions failed with {exception.GetType().Name}.", exception);
        }
    }
}

/// <summary>A session of the framework's: its name in the cache, which is as secret as the cookie, and the session that is made of it here.</summary>
internal sealed class FrameworkSessionKey(string value, SessionId session)
{
    public string Value { get; } = value;

    public SessionId Session { get; } = session;

    /// <summary>A fingerprint.</summary>
    public override string ToString() => Session.ToString();
}
