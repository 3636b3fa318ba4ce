using System.Diagnostics;
using System.Threading.Channels;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>What the store holds after a try to give back what it has lost.</summary>
/// <param name="Kind">As of a read: Found, Absent or Ended.</param>
/// <param name="Session">What it holds; null: nothing.</param>
/// <param name="IsConfirmed">False: the store did not take it or did not say, and this is what the node remembers.</param>
internal readonly record struct SessionRestored(SessionReadKind Kind, NearSession? Session, bool IsConfirmed = true);

/// <summary>
/// Gives the store back what it has lost and this node remembers: the same version, with the time that is left to it, and only on top of what it came of. What was ended is not in memory any more, and so does not come back.
/// One session at a time when a visitor asks or another node does; and all of them, at a bounded rate, when the store seems to have lost its data. A visitor who comes back to another node thus finds everything.
/// </summary>
internal sealed class SessionHealer : BackgroundService
{
    /// <summary>So many sessions are written back at once for visitors who wait for it.</summary>
    public const int AtOnce = 16;

    private const int MaxTries = 3;
    private const int MaxWanted = 4096;

    // 200 sessions a second.
    private const int Batch = 20;
    private static readonly TimeSpan BatchPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerPause = TimeSpan.FromMilliseconds(100);

    private readonly ISessionStore _store;
    private readonly NearCache _near;
    private readonly SessionLosses _losses;
    private readonly TimeProvider _time;
    private readonly AffinityMetrics _metrics;
    private readonly ILogger _logger;
    private readonly SessionsOptions _options;
    private readonly SemaphoreSlim _slots = new(AtOnce);
    private readonly Channel<SessionKey> _wanted = Channel.CreateBounded<SessionKey>(new BoundedChannelOptions(MaxWanted) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Channel<string> _checks = Channel.CreateBounded<string>(new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    public SessionHealer(ISessionStore store, NearCache near, SessionLosses losses, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionHealer> logger) =>
        (_store, _near, _losses, _options, _time, _metrics, _logger) = (store, near, losses, options, time, metrics, logger);

    /// <summary>Another node misses a session. Never waits.</summary>
    public void Want(SessionKey key)
    {
        if (_near.TryFind(key, out _, out _))
        {
            _wanted.Writer.TryWrite(key);
        }
    }

    /// <summary>The store may have lost its data: all that is remembered is compared with it, in the background. Never waits.</summary>
    public void CheckAll(string why) => _checks.Writer.TryWrite(why);

    /// <summary>Gives one session back that this node remembers and of which the store has less, as far as it knows, and learns what the store has then. The token of no visitor ends it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="key">Its name in the store.</param>
    /// <param name="found">What the store has; null: nothing.</param>
    /// <exception cref="SessionStoreException">The store failed, and nothing is remembered either.</exception>
    public async Task<SessionRestored> RestoreAsync(SessionId session, SessionKey key, SessionSnapshot? found)
    {
        using var limit = new CancellationTokenSource(_options.StoreTimeout, _time);
        try
        {
            await _slots.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return _near.TryFind(session, out var waiting) ? new(SessionReadKind.Found, waiting, IsConfirmed: false) : new(SessionReadKind.Absent, Session: null);
        }

        try
        {
            return await RestoreInTurnAsync(session, key, found);
        }
        catch (SessionStoreException e) when (_near.TryFind(session, out var held))
        {
            _metrics.SessionHealed("failed");
            if (!GuardedSessionStore.WasNotAsked(e))
            {
                _logger.SessionNotWrittenBack(session.ToFingerprint(), Name(found), held.Snapshot.Version.ToString(), e.Message);
            }

            return new(SessionReadKind.Found, held, IsConfirmed: false);
        }
        finally
        {
            _slots.Release();
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _slots.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(AnswerAsync(stoppingToken), CheckOnAsync(stoppingToken));

    private async Task<SessionRestored> RestoreInTurnAsync(SessionId session, SessionKey key, SessionSnapshot? found)
    {
        for (var tries = 1; tries <= MaxTries; tries++)
        {
            if (!_near.TryFind(session, out var held) || (found is not null && SessionHistory.Of(found, held.Snapshot) != SessionKinship.Earlier))
            {
                return await SettleAsync(session, key, isRefused: held is not null);
            }

            var asOf = _time.GetTimestamp();
            if (WriteOf(held.Snapshot, found) is not { } write)
            {
                break; // its time has run out
            }

            var result = await _store.WriteAsync(key, write, CancellationToken.None);
            switch (result.Kind)
            {
                case SessionWriteKind.Written:
                    _metrics.SessionHealed("written");
                    if (_logger.IsEnabled(LogLevel.Debug))
                    {
                        _logger.SessionWrittenBack(session.ToFingerprint(), Name(found), held.Snapshot.Version.ToString());
                    }

                    var given = held with { AsOf = asOf, IsInDoubt = false };
                    _near.Put(session, given);
                    return new(SessionReadKind.Found, given);
                case SessionWriteKind.Conflict or SessionWriteKind.Superseded:
                    found = SessionDecoder.Decode(result.Newer!, _time, asOf);
                    if (SessionHistory.Of(found, held.Snapshot) == SessionKinship.Later)
                    {
                        return Remember(session, new NearSession(key, found, asOf));
                    }

                    break;
                case SessionWriteKind.Ended:
                    _metrics.SessionHealed("refused");
                    _near.Refuse(key);
                    return new(SessionReadKind.Ended, Session: null);
                case SessionWriteKind.Absent:
                    found = null;
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        return await SettleAsync(session, key, isRefused: true);
    }

    /// <summary>It cannot be given back, so the store's word counts, of whoever may change the record.</summary>
    private async Task<SessionRestored> SettleAsync(SessionId session, SessionKey key, bool isRefused)
    {
        if (isRefused)
        {
            _metrics.SessionHealed("refused");
        }

        var asOf = _time.GetTimestamp();
        var read = await _store.ReadLatestAsync(key, SessionVersion.None, CancellationToken.None);
        if (read.Kind == SessionReadKind.Found)
        {
            return Remember(session, new NearSession(key, SessionDecoder.Decode(read.Session!, _time, asOf), asOf));
        }

        _near.Refuse(key);
        return new(read.Kind, Session: null);
    }

    private SessionRestored Remember(SessionId session, NearSession found)
    {
        _near.Put(session, found);
        return new(SessionReadKind.Found, found);
    }

    /// <summary>What the snapshot is, on top of what the store has, for as long as it would have lived; null when that is over.</summary>
    private SessionWrite? WriteOf(SessionSnapshot held, SessionSnapshot? found)
    {
        var now = _time.GetUtcNow();
        var (idle, absolute) = (held.IdleUntil - now, held.Expires - now);
        return idle <= TimeSpan.Zero || absolute <= TimeSpan.Zero
            ? null
            : new SessionWrite(
                found?.Version ?? SessionVersion.None, held.Version, held.Generation, SessionCodec.Encode(held.Created, held.Renewed, held.Items, int.MaxValue), idle, absolute)
            {
                Between = SessionHistory.Between(found?.Version ?? SessionVersion.None, held.Writes, held.Version),
            };
    }

    private async Task AnswerAsync(CancellationToken stoppingToken)
    {
        var isPatient = true;
        await foreach (var key in _wanted.Reader.ReadAllAsync(stoppingToken))
        {
            // After a fail-over this node may still leave the store alone for a moment, or hold a dead connection: who asked waits that long. Those behind it need not wait once more.
            var asked = _time.GetTimestamp();
            var isAnswered = await TryAnswerAsync(key);
            while (!isAnswered && isPatient && _time.GetElapsedTime(asked) < GuardedSessionStore.Pause + _options.StoreTimeout)
            {
                await Task.Delay(AnswerPause, _time, stoppingToken);
                isAnswered = await TryAnswerAsync(key);
            }

            isPatient = isAnswered;
            if (!isAnswered)
            {
                _metrics.SessionHealed("failed"); // who asked tells that it is lost
            }
        }
    }

    /// <summary>Whether there is no more to be done; false: the store could not be told just now.</summary>
    private async Task<bool> TryAnswerAsync(SessionKey key)
    {
        try
        {
            await CheckAsync(key);
            return true;
        }
        catch (SessionStoreException e) when (e.Fault != SessionStoreFault.Unreadable)
        {
            return false;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Also what breaks the store's contract: a background service that fails takes the host down.
            _metrics.SessionHealed("failed");
            return true;
        }
    }

    private async Task CheckOnAsync(CancellationToken stoppingToken)
    {
        await foreach (var why in _checks.Reader.ReadAllAsync(stoppingToken))
        {
            var keys = _near.Keys();
            var (written, refused) = await CheckAsync(keys, stoppingToken);
            if (keys.Length == 0)
            {
                continue;
            }

            var evidence = await _losses.EvidenceAsync(anew: true);
            if (written + refused == 0)
            {
                _logger.SessionsChecked(why, evidence, keys.Length);
            }
            else
            {
                _logger.SessionsWrittenBack(why, evidence, keys.Length, written, refused);
            }
        }
    }

    private async Task<(int Written, int Refused)> CheckAsync(SessionKey[] keys, CancellationToken stoppingToken)
    {
        var (written, refused) = (0, 0);
        for (var i = 0; i < keys.Length; i++)
        {
            try
            {
                var isBack = await CheckAsync(keys[i]);
                written += isBack == true ? 1 : 0;
                refused += isBack == false ? 1 : 0;
            }
            catch (SessionStoreException e) when (e.Fault == SessionStoreFault.Unreadable)
            {
                refused++; // the store is there: the next one need not wait
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                refused++;
                await Task.Delay(FaultPause, _time, stoppingToken);
            }

            if (i % Batch == Batch - 1)
            {
                await Task.Delay(BatchPause, _time, stoppingToken);
            }
        }

        return (written, refused);
    }

    /// <summary>Whether a session that the store had lost is back; null: it had lost nothing.</summary>
    private async Task<bool?> CheckAsync(SessionKey key)
    {
        if (!_near.TryFind(key, out var session, out var held))
        {
            return null;
        }

        var asOf = _time.GetTimestamp();
        var read = await _store.ReadLatestAsync(key, held.Snapshot.Version, CancellationToken.None);
        switch (read.Kind)
        {
            case SessionReadKind.Unchanged:
                return null;
            case SessionReadKind.Ended:
                _near.Refuse(key);
                return null;
        }

        var found = read.Kind == SessionReadKind.Found ? SessionDecoder.Decode(read.Session!, _time, asOf) : null;
        if (found is not null && SessionHistory.Of(found, held.Snapshot) == SessionKinship.Later)
        {
            return null;
        }

        var restored = await RestoreAsync(session, key, found);
        return restored is { IsConfirmed: true, Session: { } now } && SessionHistory.Of(now.Snapshot, held.Snapshot) == SessionKinship.Later;
    }

    private static string Name(SessionSnapshot? found) => found is null ? "nothing" : found.Version.ToString();
}
