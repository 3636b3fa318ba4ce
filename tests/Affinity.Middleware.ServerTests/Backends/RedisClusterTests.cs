using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>Three masters that share the sessions: slots that move under load, and announcements that everybody hears.</summary>
[Collection("Redis Cluster backend")]
public sealed class RedisClusterTests(RedisClusterBackend backend)
{
    private readonly RedisCluster _cluster = backend.Cluster;

    [ServerFact(Needs.Redis)]
    public async Task No_answered_write_is_lost_and_none_fails_while_a_slot_moves_from_master_to_master()
    {
        await using var node = NodeOfOneSlot();
        var home = await _cluster.OwnerOfAsync(node.KeyName);
        var slot = await _cluster.SlotOfAsync(node.KeyName);
        var errors = await _cluster.ErrorsAsync();
        await using var load = new WriterLoad(node.Store, sessions: 60, TimeSpan.FromMilliseconds(2));
        await load.GoOnAsync();

        var (from, moved) = (home, 0);
        foreach (var to in (RedisServer[])[.. _cluster.Masters.Except([home]), home])
        {
            var before = load.Sessions.Count;
            moved += await _cluster.MoveSlotAsync(slot, from, to, () => Task.FromResult(load.Sessions.Count < before + 20 ? load.Add() : default));
            from = to;
        }

        await load.GoOnAsync();
        await load.EndAsync();
        var after = await _cluster.ErrorsAsync();
        Assert.Empty(load.Failures);
        Assert.All(load.Sessions.Values, session => Assert.Equal(0ul, session.Lost));
        Assert.InRange(moved, 60 + 80 + 100, int.MaxValue);
        Assert.All(["ASK", "MOVED"], error => Assert.True(after.GetValueOrDefault(error) > errors.GetValueOrDefault(error), $"No {error} was answered, so nothing was tested."));
    }

    /// <summary>The client follows one redirection per call. A node that was idle while a slot moved needs two when the slot is on its way again.</summary>
    [ServerFact(Needs.Redis)]
    public async Task A_node_that_missed_one_move_is_led_through_the_next()
    {
        await using var node = NodeOfOneSlot();
        var home = await _cluster.OwnerOfAsync(node.KeyName);
        var slot = await _cluster.SlotOfAsync(node.KeyName);
        var others = _cluster.Masters.Except([home]).ToArray();
        var create = BackendHarness.Create(1);
        await node.WriteAsync(create);
        await _cluster.MoveSlotAsync(slot, home, others[0]);

        SessionWriteResult? written = null;
        await _cluster.MoveSlotAsync(slot, others[0], others[1], async () => written = await node.WriteAsync(BackendHarness.After(create.Next, 2)));

        Assert.Equal(SessionWriteKind.Written, written?.Kind);
    }

    [ServerFact(Needs.Redis)]
    public async Task An_ending_on_any_master_is_heard_by_every_node()
    {
        await using var nodes = new ClusterListeners(_cluster);
        await nodes.WaitUntilListeningAsync();
        foreach (var master in _cluster.Masters)
        {
            var key = await KeyOnAsync(master, nodes.First);
            var create = BackendHarness.Create(1);
            await nodes.First.WriteAsync(create, key);
            await nodes.First.WriteAsync(BackendHarness.After(create.Next, 2) with { Generation = 1 }, key);
            await nodes.First.Store.DeleteAsync(key, BackendHarness.Hour, CancellationToken.None);

            await ClusterListeners.UntilAsync(() => nodes.Heard(key).Length >= 2 * ClusterListeners.Count);
            Assert.Equal(from listener in Enumerable.Range(0, ClusterListeners.Count) from generation in (int[])[1, int.MaxValue] select (listener, generation), nodes.Heard(key));
        }
    }

    /// <summary>All sessions in one slot. Apps cannot do this: the options refuse braces.</summary>
    private BackendHarness NodeOfOneSlot() => new(_cluster.ConnectionString, $"t{{{Guid.NewGuid():N}}}:");

    private async Task<SessionKey> KeyOnAsync(RedisServer master, BackendHarness node)
    {
        while (true)
        {
            var key = SessionKey.Of(SessionId.Create());
            if (await _cluster.OwnerOfAsync(node.NameOf(key)) == master)
            {
                return key;
            }
        }
    }
}
