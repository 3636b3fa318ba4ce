using System.Diagnostics;
using System.Net;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>An operator at a farm of real processes: signed in once, at any node, about any node.</summary>
public sealed class NodeCommandTests(ITestOutputHelper output)
{
    // Long enough to be asked while it stops, and short enough for the host's 30 s.
    private static readonly (string Key, string Value)[] SlowToLeave = [("Affinity:Drain:Notice", "00:00:10"), ("Affinity:Drain:Evacuation", "00:00:00")];

    [ServerFact(Needs.Redis)]
    public async Task A_node_is_drained_through_another_and_undrained_through_a_third_unless_it_was_told_to_stop()
    {
        await using var farm = await ProbeFarm.StartAsync(3, settings: SlowToLeave);
        var (a, b, c) = (farm[0], farm[1], farm[2]);
        var visitor = new Visitor();
        await AssertAnswersAsync(visitor, a, "affinity/nodes/node-1/drain", HttpStatusCode.Redirect, "");
        (await visitor.GetAsync(a, "signin?name=operator")).EnsureSuccessStatusCode();

        var took = Stopwatch.StartNew();
        await AssertAnswersAsync(visitor, a, "affinity/nodes/node-1/drain", HttpStatusCode.Accepted, "\"id\":\"node-1\"");
        await Eventually.AnswersAsync(b, "affinity/health/ready", HttpStatusCode.ServiceUnavailable, and: why => why.Contains("by command", StringComparison.Ordinal));
        output.WriteLine($"Drain through another node: readiness says no after {took.ElapsedMilliseconds} ms");
        await Eventually.AnswersAsync(c, "affinity/nodes", HttpStatusCode.OK, visitor, StateOf("node-1", "draining"));
        Assert.Equal("ok", await visitor.GetStringAsync(b, "untouched"));

        await AssertAnswersAsync(visitor, c, "affinity/nodes/node-1/undrain", HttpStatusCode.Accepted, "takes visitors");
        await Eventually.AnswersAsync(b, "affinity/health/ready", HttpStatusCode.OK);

        farm.Nodes[1].Terminate();
        await Eventually.AnswersAsync(a, "affinity/nodes", HttpStatusCode.OK, visitor, StateOf("node-1", "stopping"));
        await AssertAnswersAsync(visitor, c, "affinity/nodes/node-1/undrain", HttpStatusCode.Conflict, "told to stop");
        await AssertAnswersAsync(visitor, b, "affinity/nodes/node-1/undrain", HttpStatusCode.Conflict, "told to stop");
        Assert.Equal(0, await farm.Nodes[1].WaitForExitAsync(TimeSpan.FromSeconds(20)));
        await AssertAnswersAsync(visitor, a, "affinity/nodes/node-1/drain", HttpStatusCode.NotFound, "No node of this name");
    }

    [ServerFact(Needs.Redis)]
    public async Task A_drained_node_stays_drained_when_Redis_forgets_it_and_a_command_without_Redis_is_not_accepted()
    {
        await using var farm = await ProbeFarm.StartAsync(2);
        var visitor = new Visitor();
        (await visitor.GetAsync(farm[0], "signin?name=operator")).EnsureSuccessStatusCode();
        await AssertAnswersAsync(visitor, farm[1], "affinity/nodes/node-1/drain", HttpStatusCode.Accepted, "\"state\":\"draining\"");

        farm.Redis.Kill();
        await Eventually.AnswersAsync(farm[0], "affinity/nodes", HttpStatusCode.OK, visitor, status => status.Contains("\"directoryAnswers\":false", StringComparison.Ordinal));
        await AssertAnswersAsync(visitor, farm[0], "affinity/nodes/node-1/undrain", HttpStatusCode.ServiceUnavailable, "not confirmed");
        await farm.Redis.RestartAsync();

        await Eventually.AnswersAsync(farm[0], "affinity/nodes", HttpStatusCode.OK, visitor, StateOf("node-1", "draining"));
        await AssertAnswersAsync(visitor, farm[0], "affinity/nodes/node-1/undrain", HttpStatusCode.Accepted, "takes visitors");
        await Eventually.AnswersAsync(farm[1], "affinity/health/ready", HttpStatusCode.OK);
    }

    private static Func<string, bool> StateOf(string node, string state) => status =>
        status.Contains("\"directoryAnswers\":true", StringComparison.Ordinal)
        && status.Split("{\"id\":").Any(told => told.StartsWith($"\"{node}\"", StringComparison.Ordinal) && told.Contains($"\"state\":\"{state}\"", StringComparison.Ordinal));

    private static async Task AssertAnswersAsync(Visitor visitor, Uri node, string path, HttpStatusCode status, string text)
    {
        using var answer = await visitor.PostAsync(node, path);
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(text, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
