using System.Security.Cryptography;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Two real nodes that were meant to have the same settings.</summary>
public sealed class DriftTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task Nodes_with_another_idle_time_and_other_secrets_say_so_go_on_serving_and_say_when_it_is_over()
    {
        await using var farm = await ProbeFarm.StartAsync(new FarmStart
        {
            NodeSettings = number => number == 0 ? [] : [("Affinity:Sessions:IdleTimeout", "00:30:00"), ("Affinity:Secrets:0", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))],
        });
        foreach (var (node, other) in ((int, int)[])[(0, 1), (1, 0)])
        {
            var ready = await Eventually.AnswersAsync(farm[node], "affinity/health/ready", System.Net.HttpStatusCode.OK, and: body => body.Contains("degraded", StringComparison.Ordinal));
            Assert.Contains($"Affinity:Secrets (on node-{other}); Affinity:Sessions:IdleTimeout (on node-{other})", ready, StringComparison.Ordinal);
            var told = Assert.Single(farm.Nodes[node].Output.Lines(), line => line.Contains("must agree on differ", StringComparison.Ordinal));
            output.WriteLine(told);
            Assert.DoesNotContain("00:30:00", told, StringComparison.Ordinal);
        }

        var visitor = new Visitor();
        (await visitor.GetAsync(farm[0], "signin?name=operator")).EnsureSuccessStatusCode();
        Assert.Contains("\"drift\":[{\"setting\":\"Affinity:Secrets\",\"nodes\":[\"node-1\"]}", await visitor.GetStringAsync(farm[0], "affinity/nodes"), StringComparison.Ordinal);

        farm.Nodes[1].Terminate();
        await Eventually.AnswersAsync(farm[0], "affinity/health/ready", System.Net.HttpStatusCode.OK, and: body => !body.Contains("degraded", StringComparison.Ordinal));
        Assert.Contains(farm.Nodes[0].Output.Lines(), line => line.Contains("All nodes agree", StringComparison.Ordinal));
    }
}
