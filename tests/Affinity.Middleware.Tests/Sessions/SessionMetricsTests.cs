using System.Diagnostics.Metrics;
using Affinity.Backends.Memory;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.NearCaching;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>Every value of every tag of the session stage comes about by what it says.</summary>
public sealed class SessionMetricsTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly SessionsOptions _options = new();
    private readonly SessionId _id = SessionId.Create();
    private readonly AffinityMetrics _metrics;
    private readonly List<string> _measured = [];
    private readonly MeterListener _listener = new();
    private readonly MemorySessionStore _memory;
    private readonly FaultyStore _store;
    private readonly SessionLifecycle _lifecycle;

    public SessionMetricsTests()
    {
        Meter? meter = null;
        _metrics = TestMetrics.Create(created => meter = created);
        _memory = new MemorySessionStore(_time);
        _store = new FaultyStore(_memory);
        _options.NearCache.Enabled = false;
        var near = new NearCache(_options, _time);
        var loop = new SessionSaveLoop(_store, near, _options, _time, _metrics);
        _lifecycle = new SessionLifecycle(
            NearSample.Loader(_store, near, _options, _time, _metrics), loop, NearSample.Losses(_store, _time, _metrics), _store, near, new SecretSigningKeys([Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)])], _time), _options, _time, _metrics, NullLogger<SessionLifecycle>.Instance);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Loads_are_counted_by_what_was_found()
    {
        var saved = await SaveAsync(Nothing);
        var ticket = TicketOf(saved);
        await _lifecycle.LoadAsync(ticket, default);
        await _lifecycle.LoadAsync(ticket with { Version = saved.Version.Next() }, default);
        await _lifecycle.LoadAsync(ticket with { Session = SessionId.Create() }, default);
        await _lifecycle.LoadAsync(ticket with { Session = SessionId.Create(), IdleUntil = _time.GetUtcNow() }, default);
        await SaveAsync(saved, raisesGeneration: true);
        await _lifecycle.LoadAsync(ticket, default);
        await _lifecycle.AbandonAsync(_id, default);
        await _lifecycle.LoadAsync(ticket, default);
        _store.Break();
        await Assert.ThrowsAsync<SessionStoreException>(() => _lifecycle.LoadAsync(ticket, default).AsTask());
        _store.BeforeRead = _ => throw new SessionStoreException(SessionStoreFault.Unreadable, "damaged");
        await Assert.ThrowsAsync<SessionStoreException>(() => _lifecycle.LoadAsync(ticket, default).AsTask());

        Assert.Equal(
            ["found", "behind", "lost", "absent", "superseded", "ended", "unreachable", "unreadable"],
            Measured("affinity.session.loads"));
    }

    [Fact]
    public async Task Saves_are_counted_by_their_outcome_and_merges_by_the_conflict()
    {
        var saved = await SaveAsync(Nothing);
        await SaveAsync(saved);
        await SaveAsync(saved);
        await Assert.ThrowsAsync<SessionTooLargeException>(() => SaveAsync(saved, new byte[_options.MaxBytes]));
        await SaveAsync(saved, raisesGeneration: true);
        await Assert.ThrowsAsync<SessionEndedException>(() => SaveAsync(saved));
        await _lifecycle.AbandonAsync(_id, default);
        await Assert.ThrowsAsync<SessionEndedException>(() => SaveAsync(saved));
        _time.Advance(_options.AbsoluteTimeout);
        await Assert.ThrowsAsync<SessionEndedException>(() => SaveAsync(saved));
        _store.Break();
        await Assert.ThrowsAsync<SessionUnavailableException>(() => SaveAsync(saved));

        Assert.Equal(
            ["written", "written", "written", "too_large", "written", "superseded", "ended", "lost", "failed"],
            Measured("affinity.session.saves"));
        Assert.Contains(_measured, line => line.StartsWith("affinity.session.save.conflicts", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Store_calls_are_timed_by_operation_and_outcome()
    {
        var guarded = new GuardedSessionStore(_store, _options, _time, _metrics, NullLogger<GuardedSessionStore>.Instance);
        var key = SessionKey.Of(_id);
        await guarded.ReadAsync(key, default, default);
        await guarded.TouchAsync(key, _options.IdleTimeout, default);
        await guarded.DeleteAsync(key, _options.IdleTimeout, default);
        _store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        var write = new SessionWrite(default, SessionVersion.None.Next(), 0, default, _options.IdleTimeout, _options.AbsoluteTimeout);
        await Assert.ThrowsAsync<SessionStoreException>(() => guarded.WriteAsync(key, write, default).AsTask());
        _store.BeforeRead = _ => throw new SessionStoreException(SessionStoreFault.Unreadable, "damaged");
        await Assert.ThrowsAsync<SessionStoreException>(() => guarded.ReadAsync(key, default, default).AsTask());

        Assert.Equal(["read ok", "touch ok", "delete ok", "write ambiguous", "read unreadable"], Measured("affinity.store.call.duration"));
    }

    private SessionSnapshot Nothing => SessionSnapshot.Empty(_time.GetUtcNow(), _options.AbsoluteTimeout);

    private async Task<SessionSnapshot> SaveAsync(SessionSnapshot start, byte[]? value = null, bool raisesGeneration = false)
    {
        var delta = new SessionDelta { RaisesGeneration = raisesGeneration };
        delta.Set("x", value ?? [1]);
        return (await _lifecycle.SaveAsync(_id, start, delta)).Session;
    }

    private Ticket TicketOf(SessionSnapshot saved) => new(_id, saved.Version, saved.Generation, _time.GetUtcNow(), saved.IdleUntil, saved.Expires);

    private void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var values = string.Join(' ', tags.ToArray().Select(tag => tag.Value));
        _measured.Add($"{instrument.Name} {values}");
    }

    private IEnumerable<string> Measured(string instrument) =>
        _measured.Where(line => line.StartsWith(instrument + " ", StringComparison.Ordinal)).Select(line => line[(instrument.Length + 1)..]);
}
