using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>What a request costs at Redis, counted twice: by the server's own statistics, and by what went over the wire.</summary>
public sealed class RoundTripTests(ITestOutputHelper output)
{
    // So rarely that no beat falls into a measurement, once those are over by which a node starts; a script is then always a session's.
    private static readonly (string Key, string Value)[] Quiet = [("Affinity:Node:HeartbeatInterval", "00:01:00"), ("Affinity:Node:DeadAfter", "00:10:00")];

    [ServerFact(Needs.Redis)]
    public async Task On_the_sticky_node_a_request_costs_nothing_and_a_change_one_write()
    {
        await using var farm = await StartAsync(2, settings: [.. Quiet, ("Affinity:Sessions:NearCache:MaxAge", "00:01:00")]);
        var visitor = new Visitor();

        Assert.Equal(0, await ScriptsAsync(farm, "anonymous, untouched", new Visitor(), HttpMethod.Get, "untouched"));
        Assert.Equal(0, await ScriptsAsync(farm, "anonymous, read", new Visitor(), HttpMethod.Get, "get/x"));
        Assert.Equal(1, await ScriptsAsync(farm, "anonymous, first write", visitor, HttpMethod.Post, "set/x/1"));
        Assert.Equal(0, await ScriptsAsync(farm, "sticky, untouched", visitor, HttpMethod.Get, "untouched"));
        Assert.Equal(0, await ScriptsAsync(farm, "sticky, read", visitor, HttpMethod.Get, "get/x"));
        Assert.Equal(1, await ScriptsAsync(farm, "sticky, write", visitor, HttpMethod.Post, "set/x/2"));
        Assert.Equal(1, await ScriptsAsync(farm, "another node, read", visitor, HttpMethod.Get, "get/x", node: 1));
        Assert.Equal(0, await ScriptsAsync(farm, "another node, again", visitor, HttpMethod.Get, "get/x", node: 1));
        Assert.Equal(1, await ScriptsAsync(farm, "another node, write", visitor, HttpMethod.Post, "set/x/3", node: 1));
        Assert.Equal(1, await ScriptsAsync(farm, "the first node, which holds less than the visitor has seen", visitor, HttpMethod.Get, "get/x"));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_memory_that_has_aged_costs_one_trip_of_a_few_bytes()
    {
        await using var farm = await StartAsync(1, settings: [.. Quiet, ("Affinity:Sessions:NearCache:MaxAge", "00:00:00.1")]);
        var visitor = new Visitor();
        await visitor.PostAsync(farm[0], "set/x/" + new string('x', 6000));
        await Task.Delay(110);

        Assert.Equal(1, await ScriptsAsync(farm, "aged, read", visitor, HttpMethod.Get, "get/x"));

        output.WriteLine($"{farm.Network.BytesToServer} bytes to Redis and {farm.Network.BytesToClient} back for a session of 6,000 bytes");
        Assert.InRange(farm.Network.BytesToClient, 50, 400);
    }

    [ServerFact(Needs.Redis)]
    public async Task Without_a_memory_a_ticket_costs_one_read_and_a_change_one_write_more()
    {
        await using var farm = await StartAsync(1, settings: [.. Quiet, ("Affinity:Sessions:NearCache:Enabled", "false")]);
        var visitor = new Visitor();

        Assert.Equal(0, await ScriptsAsync(farm, "anonymous, untouched", new Visitor(), HttpMethod.Get, "untouched"));
        Assert.Equal(1, await ScriptsAsync(farm, "anonymous, first write", visitor, HttpMethod.Post, "set/x/1"));
        Assert.Equal(1, await ScriptsAsync(farm, "ticket, untouched", visitor, HttpMethod.Get, "untouched"));
        Assert.Equal(1, await ScriptsAsync(farm, "ticket, read", visitor, HttpMethod.Get, "get/x"));
        Assert.Equal(2, await ScriptsAsync(farm, "ticket, write", visitor, HttpMethod.Post, "set/x/2"));
    }

    [ServerFact(Needs.Redis)]
    public async Task On_demand_a_session_that_is_not_touched_costs_nothing()
    {
        await using var farm = await StartAsync(1, settings: [.. Quiet, ("Affinity:Sessions:Load", "OnDemand"), ("Affinity:Sessions:NearCache:Enabled", "false")]);
        var visitor = new Visitor();
        await visitor.PostAsync(farm[0], "set/x/1");

        Assert.Equal(0, await ScriptsAsync(farm, "on demand, untouched", visitor, HttpMethod.Get, "untouched"));
        Assert.Equal(1, await ScriptsAsync(farm, "on demand, read", visitor, HttpMethod.Get, "loaded/x"));
        Assert.Equal(2, await ScriptsAsync(farm, "on demand, write", visitor, HttpMethod.Post, "set/x/2"));
    }

    private static async Task<ProbeFarm> StartAsync(int nodes, params (string, string)[] settings)
    {
        var farm = await ProbeFarm.StartAsync(nodes, settings: settings);
        await Task.Delay(TimeSpan.FromSeconds(1.6)); // a node that has not begun to serve beats again after 0.5 to 1.5 s
        return farm;
    }

    private async Task<long> ScriptsAsync(ProbeFarm farm, string what, Visitor visitor, HttpMethod method, string path, int node = 0)
    {
        farm.Network.ResetCounters();
        await farm.Redis.ResetCommandCallsAsync();
        using var request = new HttpRequestMessage(method, new Uri(farm[node], path));
        using var response = await visitor.SendAsync(request);
        var calls = await farm.Redis.CommandCallsAsync();
        var byServer = calls.Where(call => call.Key is "eval" or "evalsha" or "script|load").Sum(call => call.Value);
        var byWire = farm.Network.CommandCount("EVAL", "EVALSHA", "SCRIPT");
        output.WriteLine($"{what}: {byServer} round trip(s)");
        Assert.Equal(byServer, byWire);
        return byServer;
    }
}
