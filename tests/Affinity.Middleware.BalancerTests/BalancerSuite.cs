using System.Reflection;
using Affinity.BalancerTests.Kit;
using Affinity.TestKit;
using ShopFarm;
using ShopFarm.Balancers;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.BalancerTests;

/// <summary>
/// What every balancer has to do with the configuration of its template: three shops behind it, 24 visitors who are signed in and fill baskets, half of their requests posts.
/// Each visitor keeps account of what was answered and compares it with every look into the basket.
/// </summary>
public abstract class BalancerSuite(BalancedFarm farm, ITestOutputHelper output) : IClassFixture<BalancedFarm>, IAsyncLifetime
{
    private const int Visitors = 24;

    /// <summary>No request takes longer, also of a dead node's visitors.</summary>
    private static readonly TimeSpan Promptly = TimeSpan.FromSeconds(5);

    private static CancellationToken None => CancellationToken.None;

    private BalancerAttribute Balancer => field ??= GetType().GetCustomAttribute<BalancerAttribute>()!;

    private string Name => Balancer.Template;

    private TimeSpan PostsFailFor => BalancerTemplate.Of(Name).PostsFailFor;

    public Task InitializeAsync() => farm.StartAsync(BalancerTemplate.Of(Name), Balancer.Program);

    public Task DisposeAsync() => Task.CompletedTask;

    [BalancerFact]
    public async Task Visitors_stay_on_the_node_that_their_cookie_names()
    {
        var tally = new Tally();
        using var crowd = await SignedInAsync(tally);

        await Scene.ShopAsync(crowd, rounds: 5);

        output.WriteLine($"{Name}: {tally.Requests} requests, {tally.Strayed} of them on another node than the cookie names");
        Assert.Empty(tally.FailureLines);
        Assert.Equal(0, tally.Strayed);
        Assert.All(crowd.Visitors, visitor => Assert.Equal((1, visitor.Node), (visitor.Bindings, visitor.BoundTo)));
        Assert.Equal(3, crowd.Visitors.Select(visitor => visitor.BoundTo).Distinct(StringComparer.Ordinal).Count());
        Scene.AssertNothingLost(tally);
    }

    [BalancerFact]
    public async Task A_node_that_is_killed_while_its_visitors_are_idle_costs_nobody_anything()
    {
        var tally = new Tally();
        using var crowd = await SignedInAsync(tally);
        await Scene.ShopAsync(crowd, rounds: 1);
        var (name, node) = Favourite(crowd);
        var moved = crowd.Visitors.Where(visitor => visitor.BoundTo == name).ToHashSet();
        var bindings = crowd.Visitors.ToDictionary(visitor => visitor, visitor => visitor.Bindings);

        node.Kill();
        if (PostsFailFor > TimeSpan.Zero)
        {
            await crowd.CheckAsync(None);
            await Task.Delay(PostsFailFor);
        }

        await Scene.ShopAsync(crowd, rounds: 2);
        await crowd.CheckAsync(None);
        Assert.All(crowd.Visitors, visitor => Assert.Equal(bindings[visitor] + (moved.Contains(visitor) ? 1 : 0), visitor.Bindings));
        Assert.DoesNotContain(crowd.Visitors, visitor => visitor.BoundTo == name);

        await node.RestartAsync();
        await farm.BackAsync(name);
        await Scene.ShopAsync(crowd, rounds: 2);
        await crowd.CheckAsync(None);

        output.WriteLine(ResultTable.Record(Name, "killed while idle", tally));
        output.WriteLine($"{moved.Count} of {Visitors} visitors were on the killed node and moved once; the slowest request took {tally.Longest.TotalMilliseconds:F0} ms");
        Assert.InRange(tally.Longest, TimeSpan.Zero, Promptly);
        Assert.Empty(tally.FailureLines);
        Assert.Equal(moved.Count, tally.Strayed);
        Assert.All(crowd.Visitors, visitor => Assert.Equal((bindings[visitor] + (moved.Contains(visitor) ? 1 : 0), visitor.BoundTo), (visitor.Bindings, visitor.Node)));
        Scene.AssertNothingLost(tally);
    }

    [BalancerFact]
    public async Task A_node_that_is_killed_under_load_breaks_only_what_was_in_flight_and_loses_nothing()
    {
        var tally = new Tally();
        using var crowd = await SignedInAsync(tally);
        var (name, node) = Favourite(crowd);
        var moved = crowd.Visitors.Where(visitor => visitor.BoundTo == name).ToHashSet();

        await Scene.UnderLoadAsync(crowd, async () =>
        {
            await Scene.KillAsync(tally, node.Kill);
            await Task.Delay(PostsFailFor);
        }, hurried: true);
        await node.RestartAsync();
        await farm.BackAsync(name);

        output.WriteLine(ResultTable.Record(Name, "killed under load", tally));
        Assert.All(moved, visitor => Assert.True(visitor.Bindings > 1));

        // A balancer on a busy machine may take a living node for a dead one; whoever it takes elsewhere gets one cookie for it, and nobody else gets any.
        Assert.Equal(tally.Strayed, crowd.Visitors.Sum(visitor => visitor.Bindings - 1));
        Assert.All(tally.Faults, fault => Assert.Equal((name, true), (fault.BoundTo, TimeProvider.System.GetElapsedTime(fault.Began, fault.Ended) < Promptly)));
        var (began, ended) = tally.Kill;
        var posts = ended + (long)(PostsFailFor.TotalSeconds * TimeProvider.System.TimestampFrequency);
        Assert.DoesNotContain(tally.Faults, fault => fault.IsPost ? !fault.Overlaps(began, posts) : (Balancer.RepeatsGets && !fault.BrokeOff) || !fault.Overlaps(began, ended));
        Scene.AssertNothingLost(tally);
    }

    /// <summary>The first of the three is the row "drain", all of them are the row "rolling restart".</summary>
    [BalancerFact]
    public async Task Nodes_that_drain_and_stop_under_load_one_after_another_cost_nobody_anything()
    {
        var (tally, newcomers) = (new Tally(), new Tally());
        using var crowd = await SignedInAsync(tally);
        var ways = new List<string>();

        await Scene.UnderLoadAsync(crowd, async () =>
        {
            foreach (var name in farm.Nodes.Known.Select(node => node.Name))
            {
                var (strayed, answered) = (tally.StrayedFrom(name), tally.Answered);
                await Scene.DrainAsync(farm.Nodes[name]);
                ways.Add($"{name}: {tally.Answered - answered} values answered meanwhile, {tally.StrayedFrom(name) - strayed} requests taken away, {crowd.Visitors.Count(visitor => visitor.BoundTo == name)} visitors left");
                Assert.True(tally.Answered - answered > Visitors, $"{ways[^1]}: no load.");
                Assert.Equal(0, crowd.Visitors.Count(visitor => visitor.BoundTo == name));
                Assert.False(Balancer.KeepsBound && tally.StrayedFrom(name) > strayed, $"{ways[^1]}: not sent away by the node.");
                await farm.Nodes[name].RestartAsync();
                await farm.BackAsync(name);
                if (ways.Count == 1)
                {
                    output.WriteLine(ResultTable.Record(Name, "drain", tally));
                }
            }
        }, meanwhile: closing => Scene.NewcomersAsync(newcomers, farm.Door, closing));

        output.WriteLine(string.Join('\n', [.. ways, ResultTable.Record(Name, "rolling restart", tally), $"{newcomers.Requests} newcomers"]));
        Assert.Empty(tally.FailureLines);
        Assert.Empty(newcomers.FailureLines);
        Scene.AssertNothingLost(tally);
    }

    [BalancerFact]
    public async Task A_second_instance_knows_every_visitor_and_goes_on_when_the_first_is_killed()
    {
        await using var first = await farm.StartInstanceAsync();
        var tally = new Tally();
        using var crowd = await Scene.SignedInAsync(tally, Visitors, Doors.InTurn, first.Address, farm.Door);

        await Scene.UnderLoadAsync(crowd, () => Scene.KillAsync(tally, first.Kill));

        output.WriteLine(ResultTable.Record(Name, "two instances, one killed", tally));
        Assert.Empty(tally.FailureLines);
        Assert.Equal(0, tally.Strayed);
        Assert.All(crowd.Visitors, visitor => Assert.Equal(1, visitor.Bindings));
        Scene.AssertNothingLost(tally);
    }

    private async Task<Crowd> SignedInAsync(Tally tally)
    {
        await Scene.EvenAsync(farm.Door, farm.Nodes.Known.Count);
        return await Scene.SignedInAsync(tally, Visitors, Doors.Same, farm.Door);
    }

    /// <summary>The node to which most visitors are bound.</summary>
    private (string Name, AppProcess Node) Favourite(Crowd crowd)
    {
        var name = crowd.Visitors.CountBy(visitor => visitor.BoundTo!, StringComparer.Ordinal).MaxBy(count => count.Value).Key;
        return (name, farm.Nodes[name]);
    }
}
