using System.Globalization;
using System.Net;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Nodes that die, nodes that leave, a Redis that is not there.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task A_node_that_is_told_to_stop_finishes_what_it_has_begun()
    {
        await using var farm = await ProbeFarm.StartAsync(2);
        var sending = Enumerable.Range(0, 10).Select(i => new Visitor().PostAsync(farm[0], $"slow/x/{i}/4000")).ToList();
        await Eventually.AnswersAsync(farm[0], "affinity/health/live", HttpStatusCode.OK, and: live => live.Contains("\"inFlight\":10", StringComparison.Ordinal));

        farm.Nodes[0].Terminate();
        var whileDraining = await Eventually.AnswersAsync(farm[0], "affinity/health/ready", HttpStatusCode.ServiceUnavailable);
        var finished = 0;
        foreach (var request in sending)
        {
            using var response = await request;
            finished += response.StatusCode == HttpStatusCode.OK ? 1 : 0;
        }

        output.WriteLine($"SIGTERM with 10 requests in flight: {finished} finished");
        Assert.Contains("draining", whileDraining, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(10, finished);
        Assert.Equal(0, await farm.Nodes[0].WaitForExitAsync(TimeSpan.FromSeconds(20)));
    }

    [ServerFact(Needs.Redis)]
    public async Task An_app_that_starts_without_Redis_says_why_it_is_not_ready_and_joins_when_Redis_comes()
    {
        await using var farm = await ProbeFarm.StartAsync(0);
        farm.Redis.Kill();
        await using var node = await AppProcess.StartAsync(farm.Describe("late") with { ReadyStatus = HttpStatusCode.ServiceUnavailable });
        var why = await Eventually.AnswersAsync(node.BaseAddress, "affinity/health/ready", HttpStatusCode.ServiceUnavailable);
        using var anonymous = await new Visitor().GetAsync(node.BaseAddress, "untouched");
        using var write = await new Visitor().PostAsync(node.BaseAddress, "set/x/1");

        await farm.Redis.RestartAsync();
        await Eventually.AnswersAsync(node.BaseAddress, "affinity/health/ready", HttpStatusCode.OK);

        output.WriteLine(why);
        Assert.Contains("directory", why, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (anonymous.StatusCode, write.StatusCode));
        var visitor = new Visitor();
        (await visitor.PostAsync(node.BaseAddress, "set/x/1")).EnsureSuccessStatusCode();
        Assert.Equal("1", await visitor.GetStringAsync(node.BaseAddress, "get/x"));
    }

    [ServerFact(Needs.Redis)]
    public async Task While_Redis_is_away_or_silent_a_session_is_a_503_within_bounds_and_comes_back_with_it()
    {
        // What the node remembers needs no Redis; this is about a session that has to be asked for.
        await using var farm = await ProbeFarm.StartAsync(1, settings: [("Affinity:Sessions:NearCache:Enabled", "false"), ("Affinity:Sessions:OnStoreAway", "Fail")]);
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();

        farm.Redis.Freeze();
        var began = DateTime.UtcNow;
        using var silent = await visitor.GetAsync(farm[0], "get/x");
        var took = DateTime.UtcNow - began;
        var told = await visitor.GetStringAsync(farm[0], "affinity");
        farm.Redis.Thaw();

        output.WriteLine($"Redis silent: {(int)silent.StatusCode} after {took.TotalMilliseconds:N0} ms; {told}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, silent.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), silent.Headers.RetryAfter?.Delta);
        Assert.InRange(took, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(2));
        Assert.Contains("\"store\":\"Unreachable\"", told, StringComparison.Ordinal);
        Assert.Equal("1", await Eventually.AnswersAsync(farm[0], "get/x", HttpStatusCode.OK, visitor));
    }

    [ServerFact(Needs.Redis)]
    public async Task What_a_Redis_that_restarts_empty_has_lost_and_nobody_remembers_is_told_and_all_goes_on_without_a_restart_of_the_app()
    {
        await using var farm = await ProbeFarm.StartAsync(1, settings: ("Affinity:Sessions:NearCache:Enabled", "false"));
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();

        await farm.Redis.RestartAsync();

        var told = await Eventually.AnswersAsync(farm[0], "affinity", HttpStatusCode.OK, visitor, text => text.Contains("\"store\":\"Reachable\"", StringComparison.Ordinal));
        Assert.Contains("\"lost\":true", told, StringComparison.Ordinal);
        await farm.Nodes[0].Output.WaitForLineAsync("should be in the store");
        (await visitor.PostAsync(farm[0], "set/x/2")).EnsureSuccessStatusCode();
        Assert.Equal("2", await visitor.GetStringAsync(farm[0], "get/x"));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_second_node_of_the_same_name_is_not_ready_and_says_what_to_do()
    {
        await using var farm = await ProbeFarm.StartAsync(1);
        await using var second = await AppProcess.StartAsync(farm.Describe("node-0") with { ReadyStatus = HttpStatusCode.ServiceUnavailable });

        var why = await Eventually.AnswersAsync(second.BaseAddress, "affinity/health/ready", HttpStatusCode.ServiceUnavailable);
        Assert.Contains("Affinity:Node:Id", why, StringComparison.Ordinal);

        farm.Nodes[0].Terminate();
        await Eventually.AnswersAsync(second.BaseAddress, "affinity/health/ready", HttpStatusCode.OK);
    }

    /// <summary>Signs in once, then sets one key after another on random nodes, and remembers what was answered.</summary>
}
