using Affinity.Backends.Memory;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;

namespace Affinity.Tests.Backends;

public sealed class MemorySessionStoreConformanceTests : SessionStoreConformance
{
    private readonly ManualTime _time = new();

    public MemorySessionStoreConformanceTests() => Store = new MemorySessionStore(_time);

    protected override ISessionStore Store { get; }

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }
}

public sealed class MemoryNodeDirectoryConformanceTests : NodeDirectoryConformance
{
    private readonly ManualTime _time = new();

    public MemoryNodeDirectoryConformanceTests() => Directory = new MemoryNodeDirectory(_time);

    protected override INodeDirectory Directory { get; }

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }
}

public sealed class MemoryKeyVaultConformanceTests : KeyVaultConformance
{
    protected override IKeyVault Vault { get; } = new MemoryKeyVault();
}
