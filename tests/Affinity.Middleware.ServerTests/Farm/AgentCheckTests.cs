using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>A real HAProxy that asks three real nodes by agent-check.</summary>
public sealed class AgentCheckTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [ServerFact(Needs.Redis | Needs.Haproxy)]
    public async Task HAProxy_drains_a_node_that_is_told_to_stop_while_its_visitors_still_reach_it_and_takes_it_back()
    {
        await using var farm = await AgentFarm.StartAsync(("Affinity:Drain:Notice", "00:00:05"), ("Affinity:Drain:Evacuation", "00:00:03"), ("Affinity:Drain:Timeout", "00:00:05"));
        for (var node = 0; node < 3; node++)
        {
            await farm.ShowsAsync(node, shown => shown == ("UP", 100), Soon);
        }

        var visitors = await BindAsync(farm, 12);
        var bound = visitors.Where(visitor => visitor.Node == "node-1").ToList();
        Assert.NotEmpty(bound);

        farm.Nodes[1].Terminate();
        var seen = await farm.ShowsAsync(1, shown => shown.Status.StartsWith("DRAIN", StringComparison.Ordinal), Soon);
        foreach (var (visitor, _) in bound)
        {
            Assert.Equal("node-1", await NodeOfAsync(visitor, farm, "get/x"));
        }

        for (var i = 0; i < 9; i++)
        {
            Assert.NotEqual("node-1", await NodeOfAsync(new Visitor(), farm, "untouched"));
        }

        Assert.StartsWith("DRAIN", (await farm.ShownAsync(1)).Status, StringComparison.Ordinal);
        Assert.Equal(0, await farm.Nodes[1].WaitForExitAsync());
        foreach (var (visitor, _) in visitors)
        {
            Assert.Equal("1", await visitor.GetStringAsync(farm.Front, "get/x"));
        }

        await farm.Nodes[1].RestartAsync();
        var back = await farm.ShowsAsync(1, shown => shown == ("UP", 100), Soon);
        output.WriteLine($"{bound.Count} of {visitors.Count} visitors bound; DRAIN shown {seen.TotalMilliseconds:N0} ms after SIGTERM, UP {back.TotalMilliseconds:N0} ms after the restart");
    }

    [ServerFact(Needs.Redis | Needs.Haproxy)]
    public async Task A_node_with_more_visitors_than_the_others_is_given_fewer_new_ones()
    {
        await using var farm = await AgentFarm.StartAsync(("Affinity:AgentCheck:Weight", "true"));
        for (var i = 0; i < 60; i++)
        {
            (await new Visitor().PostAsync(farm.Nodes[0].BaseAddress, "set/x/1")).Dispose();
        }

        // 60 visitors and a mean of 20: a third.
        var took = await farm.ShowsAsync(0, shown => shown.Weight is >= 30 and <= 40, TimeSpan.FromSeconds(40));
        output.WriteLine($"weight {(await farm.ShownAsync(0)).Weight} after {took.TotalSeconds:N1} s; the others have {(await farm.ShownAsync(1)).Weight} and {(await farm.ShownAsync(2)).Weight}");
        Assert.Equal((("UP", 100), ("UP", 100)), (await farm.ShownAsync(1), await farm.ShownAsync(2)));
        var newcomers = await BindAsync(farm, 21);
        Assert.InRange(newcomers.Count(visitor => visitor.Node == "node-0"), 1, 5);
    }

    [ServerFact(Needs.Redis | Needs.Haproxy)]
    public async Task A_node_that_is_not_ready_gets_nobody_and_comes_back_by_itself()
    {
        await using var farm = await AgentFarm.StartAsync();
        await farm.ShowsAsync(2, shown => shown == ("UP", 100), Soon);
        farm.Nodes[2].Kill();

        // Its name is still taken by the killed one until that counts as dead.
        var restart = farm.Nodes[2].RestartAsync();
        await farm.ShowsAsync(2, shown => shown.Status.StartsWith("DOWN", StringComparison.Ordinal), Soon);
        await farm.ShowsAsync(2, shown => shown.Status is "DOWN (agent)", Soon);
        for (var i = 0; i < 6; i++)
        {
            Assert.NotEqual("node-2", await NodeOfAsync(new Visitor(), farm, "untouched"));
        }

        await restart;
        await farm.ShowsAsync(2, shown => shown == ("UP", 100), Soon);
    }

    private static async Task<List<(Visitor Visitor, string Node)>> BindAsync(AgentFarm farm, int count)
    {
        List<(Visitor, string)> visitors = [];
        for (var i = 0; i < count; i++)
        {
            var visitor = new Visitor();
            using var response = await visitor.PostAsync(farm.Front, "set/x/1");
            visitors.Add((visitor, response.EnsureSuccessStatusCode().Headers.GetValues("X-Affinity-Node").Single()));
        }

        return visitors;
    }

    private static async Task<string> NodeOfAsync(Visitor visitor, AgentFarm farm, string path)
    {
        using var response = await visitor.GetAsync(farm.Front, path);
        return response.EnsureSuccessStatusCode().Headers.GetValues("X-Affinity-Node").Single();
    }
}
