using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tickets;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.Benchmarks;

/// <summary>Loading what the node remembers, and the save loop against the memory store: one item of eight changes.</summary>
public class SessionBenchmarks
{
    private readonly SessionId _session = SessionId.Create();
    private readonly SessionsOptions _options = new() { MaxBytes = 4 << 20 };
    private SessionSaveLoop _loop = null!;
    private SessionLoader _loader = null!;
    private SessionSnapshot _snapshot = null!;
    private Ticket _ticket = null!;
    private byte[] _value = null!;

    [Params(1_024, 65_536, 1_048_576)]
    public int Bytes { get; set; }

    // The in-process toolchain does not wait for an asynchronous one.
    [GlobalSetup]
    public void Begin() => BeginAsync().GetAwaiter().GetResult();

    private async Task BeginAsync()
    {
        // Each iteration lasts longer than a snapshot stays fresh by default, and the store is not what is measured.
        _options.NearCache.MaxAge = TimeSpan.FromHours(1);
        var (store, near) = (new MemorySessionStore(TimeProvider.System), new NearCache(_options, TimeProvider.System));
        _loop = new SessionSaveLoop(store, near, _options, TimeProvider.System, Samples.Metrics);
        var losses = new SessionLosses(store, TimeProvider.System, Samples.Metrics, NullLogger<SessionLosses>.Instance);
        var healer = new SessionHealer(store, near, losses, _options, TimeProvider.System, Samples.Metrics, NullLogger<SessionHealer>.Instance);
        _loader = new SessionLoader(store, near, healer, losses, _options, TimeProvider.System, Samples.Metrics, NullLogger<SessionLoader>.Instance);
        _value = new byte[Bytes / 8];
        var first = new SessionDelta();
        foreach (var (key, value) in Samples.Items(Bytes))
        {
            first.Set(key, value);
        }

        _snapshot = (await _loop.SaveAsync(_session, SessionSnapshot.Empty(DateTimeOffset.UtcNow, _options.AbsoluteTimeout), first)).Saved!;
        _ticket = Samples.Ticket(_session, _snapshot);
        if (!(await _loader.LoadAsync(_ticket, CancellationToken.None)).IsNear)
        {
            throw new InvalidOperationException("The session is not near.");
        }
    }

    [Benchmark]
    public bool LoadNear()
    {
        var loading = _loader.LoadAsync(_ticket, CancellationToken.None);
        return loading.IsCompletedSuccessfully && loading.Result.IsNear;
    }

    [Benchmark]
    public async Task Save()
    {
        var delta = new SessionDelta();
        delta.Set("item-3", _value);
        _snapshot = (await _loop.SaveAsync(_session, _snapshot, delta)).Saved!;
    }
}
