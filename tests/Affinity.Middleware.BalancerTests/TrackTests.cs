using Affinity.BalancerTests.Kit;
using Affinity.TestKit;
using ShopFarm;
using ShopFarm.Balancers;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.BalancerTests;

/// <summary>Two versions of the app behind one balancer: a share of the new visitors starts on the second, and everybody stays on the version that they started with.</summary>
public sealed class TrackTests(ITestOutputHelper output)
{
    private const int Percent = 30;
    private const int Newcomers = 300;

    [ServerFact(Needs.Redis | Needs.Haproxy)]
    public Task Haproxy_sends_a_share_of_new_visitors_to_the_second_version_and_everybody_stays_on_theirs() => PlayAsync("haproxy-tracks", Needs.Haproxy);

    [ServerFact(Needs.Redis | Needs.Nginx)]
    public Task Nginx_sends_a_share_of_new_visitors_to_the_second_version_and_everybody_stays_on_theirs() => PlayAsync("nginx-tracks", Needs.Nginx);

    private async Task PlayAsync(string name, Needs program)
    {
        var template = BalancerTemplate.Of(name);
        await using var nodes = await ShopNodes.StartAsync(template.NodeSettings, "blue", "blue", "green");
        var plan = new BalancerPlan("127.0.0.1", LoopbackPort.Next(), nodes.Known) { Cookie = ShopFarm.Visitor.RouteCookie, SecondTrackPercent = Percent };
        await using var balancer = await BalancerProcess.StartAsync(template, program, plan);
        var tally = new Tally();

        // Nobody has a session: the version alone is something to be bound for.
        using (var newcomers = new Crowd(Newcomers, [balancer.Address], tally, []))
        {
            foreach (var visitor in newcomers.Visitors)
            {
                await visitor.ProductsAsync(CancellationToken.None);
            }

            var green = newcomers.Visitors.Count(visitor => visitor.BoundTo == "n3");
            output.WriteLine($"{name}: {green} of {Newcomers} new visitors started on green, {Percent} % are to");

            // Four standard deviations.
            Assert.InRange(green, 90 - 32, 90 + 32);
        }

        using var crowd = await Scene.SignedInAsync(tally, 40, Doors.Same, balancer.Address);
        await Scene.ShopAsync(crowd, rounds: 3);
        Assert.Equal(0, tally.Strayed);
        Assert.All(crowd.Visitors, visitor => Assert.Equal((1, visitor.BoundTo), (visitor.Bindings, visitor.Node)));

        // The only green node leaves: its visitors go on with blue, and stay there when it is back.
        var moved = crowd.Visitors.Where(visitor => visitor.BoundTo == "n3").ToHashSet();
        await Scene.UnderLoadAsync(crowd, () => Scene.DrainAsync(nodes["n3"]));
        await nodes["n3"].RestartAsync();
        await Scene.BackAsync(balancer.Address, "n3", template);
        await Scene.ShopAsync(crowd, rounds: 2);

        output.WriteLine($"{name}: {moved.Count} of 40 visitors were on green, which has left and come back; {tally.Requests} requests, {tally.Faults.Count} errors");
        Assert.NotEmpty(moved);
        Assert.Empty(tally.FailureLines);
        Assert.DoesNotContain(crowd.Visitors, visitor => visitor.BoundTo == "n3");
        Assert.All(crowd.Visitors, visitor => Assert.Equal((moved.Contains(visitor) ? 2 : 1, visitor.BoundTo), (visitor.Bindings, visitor.Node)));
        Scene.AssertNothingLost(tally);
    }
}
