using System.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>A primary with one replica, both in the connection string, and somebody who promotes the replica when the primary dies.</summary>
public sealed class RedisPairTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task Writers_go_on_with_the_promoted_replica_and_what_was_answered_and_replicated_is_there()
    {
        await using var pair = await RedisPair.StartAsync();
        await using var node = new BackendHarness(pair.ConnectionString);
        await using var load = new WriterLoad(node.Store, sessions: 40, TimeSpan.FromMilliseconds(5));
        await load.GoOnAsync();
        var written = load.Sessions.ToDictionary(session => session.Key, session => session.Value.Version);
        await pair.WaitUntilReplicatedAsync();

        pair.Primary.Kill();
        foreach (var (key, version) in written)
        {
            var found = await pair.Replica.CommandAsync("HGET", node.NameOf(key), "v");
            Assert.InRange(ulong.Parse(found.Text!, provider: null), version.Counter, ulong.MaxValue);
        }

        await pair.PromoteAsync();
        var promoted = Stopwatch.StartNew();
        await load.GoOnAsync();
        output.WriteLine($"All were written again {promoted.ElapsedMilliseconds} ms after the promotion.");
        await load.EndAsync();
        load.Tell(output);
    }

    [ServerFact(Needs.Redis)]
    public async Task What_was_answered_and_not_replicated_shows_as_a_version_behind_to_every_reader_and_writer()
    {
        await using var pair = await RedisPair.StartAsync();
        await using var node = new BackendHarness(pair.ConnectionString);
        var (first, second) = await LoseThePrimaryAsync(pair, node);
        await pair.PromoteAsync();

        var read = await node.ReadUntilHealedAsync();
        var overwritten = await node.WriteAsync(BackendHarness.After(second, 3));

        Assert.Equal((SessionReadKind.Found, first), (read.Kind, read.Session!.Version));
        Assert.Equal((SessionWriteKind.Conflict, first), (overwritten.Kind, overwritten.Newer!.Version));
        Assert.Equal(SessionWriteKind.Written, (await node.WriteAsync(BackendHarness.After(first, 3))).Kind);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_replica_that_lags_and_is_not_promoted_yet_answers_no_write_with_what_it_knows()
    {
        await using var pair = await RedisPair.StartAsync();
        await using var node = new BackendHarness(pair.ConnectionString);
        var (first, second) = await LoseThePrimaryAsync(pair, node);
        Assert.Equal(first, (await node.ReadUntilHealedAsync()).Session?.Version);

        foreach (var write in (SessionWrite[])[BackendHarness.After(second, 3), BackendHarness.Create(4)])
        {
            var refusal = await Assert.ThrowsAsync<SessionStoreException>(() => node.WriteAsync(write));
            Assert.Equal(SessionStoreFault.NotApplied, refusal.Fault);
        }
    }

    /// <summary>Two writes of one session are answered, the second one after the replica was parted; then the primary dies. Answers the versions of both.</summary>
    private static async Task<(SessionVersion Replicated, SessionVersion Lost)> LoseThePrimaryAsync(RedisPair pair, BackendHarness node)
    {
        var first = BackendHarness.Create(1);
        await node.WriteAsync(first);
        await pair.WaitUntilReplicatedAsync();
        pair.Part();
        var second = BackendHarness.After(first.Next, 2);
        Assert.Equal(SessionWriteKind.Written, (await node.WriteAsync(second)).Kind);
        pair.Primary.Kill();
        return (first.Next, second.Next);
    }
}
