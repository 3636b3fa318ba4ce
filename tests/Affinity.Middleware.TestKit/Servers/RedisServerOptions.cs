namespace Affinity.TestKit;

/// <summary>How a test wants its <see cref="RedisServer"/> or <see cref="GarnetServer"/>.</summary>
public sealed record RedisServerOptions
{
    /// <summary>Keeps an append-only file, so that acknowledged writes are there after a restart. Off: a restart is a loss of all data.</summary>
    public bool AppendOnly { get; init; }

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Further arguments of the server's own, such as <c>--maxmemory 10mb</c>, each word on its own.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];
}
