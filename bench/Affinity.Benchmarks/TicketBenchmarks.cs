using Affinity.Sessions;
using Affinity.Tickets;
using BenchmarkDotNet.Attributes;

namespace Affinity.Benchmarks;

/// <summary>What every request with a ticket pays, and every response that issues one.</summary>
public class TicketBenchmarks
{
    private readonly TicketCodec _codec = new("shop", "__Host-AFT", TimeProvider.System);
    private readonly SessionId _session = SessionId.Create();
    private Ticket _ticket = null!;
    private string _text = null!;

    [GlobalSetup]
    public void Begin()
    {
        var now = DateTimeOffset.UtcNow;
        _ticket = new Ticket(_session, SessionVersion.None.Next(), Generation: 0, now, now.AddHours(10), now.AddHours(24));
        _text = _codec.Encode(_ticket, Samples.Keys.Current);
        _ = _codec.Decode(_text, Samples.Keys).Ticket ?? throw new InvalidOperationException("The ticket is not accepted.");
    }

    [Benchmark]
    public bool Verify() => _codec.Decode(_text, Samples.Keys).Ticket is not null;

    [Benchmark]
    public string Issue() => _codec.Encode(_ticket, Samples.Keys.Current);

    [Benchmark]
    public string StoreKey() => SessionKey.Of(_session).Value;
}
