using Affinity.Sessions;
using BenchmarkDotNet.Attributes;

namespace Affinity.Benchmarks;

/// <summary>A session to bytes and back. The least that encoding can allocate is the session's size.</summary>
public class SnapshotBenchmarks
{
    private Dictionary<string, byte[]> _items = null!;
    private byte[] _payload = null!;

    [Params(1_024, 65_536, 1_048_576)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Begin()
    {
        _items = Samples.Items(Bytes);
        _payload = Encode();
    }

    [Benchmark]
    public byte[] Encode() => SessionCodec.Encode(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, _items, maxBytes: 4 << 20);

    [Benchmark]
    public bool Decode() => SessionCodec.TryDecode(_payload, out _, out _, out _);
}
