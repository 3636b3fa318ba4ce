using System.Globalization;
using System.Net;
using Affinity.ServerTests.Backends;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>A record that somebody else wrote, or that was damaged: its own visitor is told so, and nobody else notices.</summary>
[Collection("Foreign records")]
public sealed class HostileRecordTests(ITestOutputHelper output, ForeignRecords records)
{
    private static readonly HttpStatusCode[] Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.Conflict, HttpStatusCode.ServiceUnavailable];

    [ServerFact(Needs.Redis)]
    public async Task A_damaged_session_is_unusable_for_its_visitor_and_touches_nobody_else()
    {
        var (farm, database) = await records.StartAsync();
        var bystander = new Visitor();
        (await bystander.PostAsync(farm[0], "set/x/mine")).EnsureSuccessStatusCode();
        var (cases, requests) = (0, 0);
        foreach (var (field, bytes) in HostileBytes.Worst(seed: 1))
        {
            var visitor = new Visitor();
            (await visitor.PostAsync(farm[1], "set/x/1")).EnsureSuccessStatusCode();
            await database.HashSetAsync(visitor.RecordName(), field, bytes);
            cases++;
            requests += await UseAsync(farm, visitor, $"{field} = {Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 24)))}");
            Assert.Equal("mine", await bystander.GetStringAsync(farm[0], "get/x"));
        }

        output.WriteLine($"{cases} damaged records, {requests} requests of their visitors");
        foreach (var node in farm.Nodes)
        {
            using var ready = await new Visitor().GetAsync(node.BaseAddress, "affinity/health/ready");
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
            Assert.DoesNotContain(node.Output.Lines(), line => line.Contains("keeps failing", StringComparison.Ordinal) || line.Contains("OverflowException", StringComparison.Ordinal));
        }

        Assert.Equal("mine", await bystander.GetStringAsync(farm[1], "get/x"));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_damaged_session_is_told_once_however_often_its_visitor_comes()
    {
        var (farm, database) = await records.StartAsync();
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();
        await database.HashSetAsync(visitor.RecordName(), "p", "damage");

        for (var i = 0; i < 20; i++)
        {
            using var untouched = await visitor.GetAsync(farm[0], "untouched");
            using var read = await visitor.GetAsync(farm[0], "get/x");
            using var written = await visitor.PostAsync(farm[0], "set/y/1");
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (untouched.StatusCode, read.StatusCode, written.StatusCode));
        }

        var told = farm.Nodes[0].Output.Lines().Where(line => line.Contains(visitor.SessionFingerprint(), StringComparison.Ordinal));
        Assert.Contains("is stored in a form that this version of Affinity cannot read", Assert.Single(told), StringComparison.Ordinal);
    }

    private static async Task<int> UseAsync(ProbeFarm farm, Visitor visitor, string damage)
    {
        (int Node, HttpMethod Method, string Path)[] requests =
        [
            (0, HttpMethod.Get, "untouched"), (0, HttpMethod.Get, "get/x"), (0, HttpMethod.Post, "set/y/2"), (0, HttpMethod.Get, "signin?name=ada"), (1, HttpMethod.Get, "get/x"), (1, HttpMethod.Post, "add/n"), (0, HttpMethod.Post, "abandon"),
        ];
        foreach (var (node, method, path) in requests)
        {
            using var request = new HttpRequestMessage(method, new Uri(farm[node], path));
            using var response = await visitor.SendAsync(request);
            Assert.True(Expected.Contains(response.StatusCode), string.Create(CultureInfo.InvariantCulture, $"{damage}: {path} on node {node} was answered {response.StatusCode}\n{farm.Nodes[node].Output}"));
            Assert.True(path != "untouched" || response.StatusCode == HttpStatusCode.OK, damage);
        }

        return requests.Length;
    }
}
