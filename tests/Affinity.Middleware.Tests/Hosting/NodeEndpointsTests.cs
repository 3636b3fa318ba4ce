using System.Net;
using System.Text.Json;
using Affinity.Nodes;
using Affinity.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary>What the mapped endpoints answer, and what their answers promise.</summary>
public sealed class NodeEndpointsTests
{
    private static readonly NodeRecord B = new(NodeId.Parse("b"), Guid.Parse("00112233445566778899aabbccddeeff"), NodeState.Active, InFlight: 2) { Bound = 40, Address = "10.1.1.101:8080", Track = "blue" };

    [Fact]
    public async Task The_status_names_every_living_node_and_which_of_them_tells()
    {
        await using var app = await OperatorApp.StartAsync();
        await app.BeatAsync(B);
        await app.BeatAsync(B with { Id = NodeId.Parse("c"), State = NodeState.Draining, Stopping = true, Address = null, Track = null });
        using var command = await app.SendAsync(HttpMethod.Post, "/affinity/nodes/b/drain");

        using var answer = await app.SendAsync(HttpMethod.Get, "/affinity/nodes");

        Assert.Equal(
            $$"""
            {"node":"a","directoryAnswers":true,"writesLevel":1,"nodes":[{"id":"a","incarnation":"{{app.Node.Incarnation}}","state":"active","inFlight":1,"bound":0,"formatLevel":1,"self":true},
            {"id":"b","incarnation":"00112233-4455-6677-8899-aabbccddeeff","state":"active","track":"blue","address":"10.1.1.101:8080","inFlight":2,"bound":40,"formatLevel":1,"self":false},
            {"id":"c","incarnation":"00112233-4455-6677-8899-aabbccddeeff","state":"stopping","inFlight":2,"bound":40,"formatLevel":1,"self":false}]}
            """.ReplaceLineEndings(""),
            await answer.Content.ReadAsStringAsync());
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_command_for_another_node_is_in_the_directory_when_it_is_answered()
    {
        await using var app = await OperatorApp.StartAsync();
        await app.BeatAsync(B);

        using var drain = await app.SendAsync(HttpMethod.Post, "/affinity/nodes/b/drain");

        Assert.Equal(HttpStatusCode.Accepted, drain.StatusCode);
        Assert.True(drain.Headers.CacheControl?.NoStore);
        Assert.Equal(
            """
            {"command":"drain","next":"It drains with its next heartbeat: its readiness says no, its visitors are sent to other nodes, and it goes on serving until it is stopped or undrained.",
            "node":{"id":"b","incarnation":"00112233-4455-6677-8899-aabbccddeeff","state":"active","track":"blue","address":"10.1.1.101:8080","inFlight":2,"bound":40,"formatLevel":1,"self":false}}
            """.ReplaceLineEndings(""),
            await drain.Content.ReadAsStringAsync());
        Assert.Equal(NodeWish.Drain, (await app.BeatAsync(B with { State = NodeState.Draining })).Wish);
        using var undrain = await app.SendAsync(HttpMethod.Post, "/affinity/nodes/b/undrain");
        Assert.Equal(NodeWish.Serve, (await app.BeatAsync(B)).Wish);
        Assert.Equal(NodeState.Active, app.Node.State);
        Assert.Equal(["NodeCommandAccepted", "NodeCommandAccepted"], app.Log.Events);
    }

    [Fact]
    public async Task The_node_that_is_asked_about_itself_follows_before_it_answers()
    {
        await using var app = await OperatorApp.StartAsync();
        await app.BeatAsync(B);

        Assert.Equal("draining", await StateAfterAsync(app, "/affinity/nodes/a/drain"));
        using var draining = await app.SendAsync(HttpMethod.Get, "/affinity/health/ready");
        Assert.Equal("active", await StateAfterAsync(app, "/affinity/nodes/a/undrain"));
        using var ready = await app.SendAsync(HttpMethod.Get, "/affinity/health/ready");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (draining.StatusCode, ready.StatusCode));
    }

    [Fact]
    public async Task A_node_that_is_alone_drains_stays_ready_and_both_answers_say_so()
    {
        await using var app = await OperatorApp.StartAsync();

        using var drain = await app.SendAsync(HttpMethod.Post, "/affinity/nodes/a/drain");
        using var ready = await app.SendAsync(HttpMethod.Get, "/affinity/health/ready");

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.OK), (drain.StatusCode, ready.StatusCode));
        Assert.Contains("no other node takes visitors: it stays ready", await drain.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("\"degraded\":", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeated_command_is_accepted_again()
    {
        await using var app = await OperatorApp.StartAsync();

        Assert.Equal("draining", await StateAfterAsync(app, "/affinity/nodes/a/drain"));
        Assert.Equal("draining", await StateAfterAsync(app, "/affinity/nodes/a/drain"));
    }

    /// <summary>With <c>Affinity:Drain:UnboundRequests = Refuse</c> an operator is somebody without a binding.</summary>
    [Fact]
    public async Task A_node_that_drains_and_refuses_visitors_still_answers_operators()
    {
        await using var app = await OperatorApp.StartAsync(settings: ("Drain:UnboundRequests", "Refuse"));
        await app.BeatAsync(B);
        await StateAfterAsync(app, "/affinity/nodes/a/drain");
        using var visitor = await app.SendAsync(HttpMethod.Get, "/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, visitor.StatusCode);

        using var status = await app.SendAsync(HttpMethod.Get, "/affinity/nodes");
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        await AssertProblemAsync(app, "/affinity/store/first", HttpStatusCode.NotFound); // there is no second store, and that is an answer
        Assert.Equal("active", await StateAfterAsync(app, "/affinity/nodes/a/undrain"));
        Assert.Equal("home", await app.Client.GetStringAsync(new Uri("/", UriKind.Relative)));
    }

    [Fact]
    public async Task A_node_that_was_told_to_stop_takes_no_visitors_again_and_is_asked_nothing()
    {
        await using var app = await OperatorApp.StartAsync();
        var stopping = B with { State = NodeState.Draining, Stopping = true };
        await app.BeatAsync(stopping);

        await AssertProblemAsync(app, "/affinity/nodes/b/undrain", HttpStatusCode.Conflict);
        Assert.Null((await app.BeatAsync(stopping)).Wish);

        app.Node.BeginDrain(stops: true);
        await AssertProblemAsync(app, "/affinity/nodes/a/undrain", HttpStatusCode.Conflict);
        Assert.Equal("stopping", await StateAfterAsync(app, "/affinity/nodes/a/drain"));
    }

    [Fact]
    public async Task A_node_that_does_not_live_is_not_found()
    {
        await using var app = await OperatorApp.StartAsync();
        await app.BeatAsync(B);
        await app.Directory.LeaveAsync(B.Id, B.Incarnation, CancellationToken.None);

        await AssertProblemAsync(app, "/affinity/nodes/b/drain", HttpStatusCode.NotFound);
        await AssertProblemAsync(app, "/affinity/nodes/A/undrain", HttpStatusCode.NotFound);
        Assert.Empty(app.Log.Events);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("a%20b")]
    [InlineData("a%0d%0aX-Y:%20z")]
    [InlineData("%E2%80%AE")]
    [InlineData("123456789012345678901234567890123")]
    public async Task What_is_no_name_of_a_node_is_a_bad_request(string id)
    {
        await using var app = await OperatorApp.StartAsync();

        await AssertProblemAsync(app, $"/affinity/nodes/{id}/drain", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_command_that_the_directory_does_not_confirm_is_never_accepted()
    {
        var directory = new FakeDirectory { AnswerToWish = (_, _) => throw new NodeDirectoryException("It is away.") };
        await using var app = await OperatorApp.StartAsync(build: builder => builder.Services.AddSingleton<INodeDirectory>(directory));

        using var answer = await AssertProblemAsync(app, "/affinity/nodes/a/drain", HttpStatusCode.ServiceUnavailable);

        Assert.Equal(TimeSpan.FromSeconds(2), answer.Headers.RetryAfter?.Delta);
        Assert.Equal(NodeState.Active, app.Node.State);
        Assert.Equal(["NodeCommandNotConfirmed"], app.Log.Events);
    }

    [Fact]
    public async Task A_status_without_the_directory_says_since_when_and_keeps_what_was_known()
    {
        var directory = new FakeDirectory { Answer = FakeDirectory.AcceptWithPeer };
        await using var app = await OperatorApp.StartAsync(build: builder => builder.Services.AddSingleton<INodeDirectory>(directory));
        directory.Answer = FakeDirectory.Away;
        directory.AnswerToWish = (_, _) => throw new NodeDirectoryException("It is away.");
        using var command = await app.SendAsync(HttpMethod.Post, "/affinity/nodes/node-z/drain");

        using var status = JsonDocument.Parse(await app.Client.GetStringAsync(new Uri("/affinity/nodes", UriKind.Relative)));

        Assert.False(status.RootElement.GetProperty("directoryAnswers").GetBoolean());
        Assert.Contains("has not answered since", status.RootElement.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, status.RootElement.GetProperty("nodes").GetArrayLength());
    }

    [Fact]
    public async Task A_node_whose_name_is_taken_does_not_pass_for_the_one_that_has_it()
    {
        var directory = new FakeDirectory { Answer = FakeDirectory.Refuse };
        await using var app = await OperatorApp.StartAsync(build: builder => builder.Services.AddSingleton<INodeDirectory>(directory));

        using var status = JsonDocument.Parse(await app.Client.GetStringAsync(new Uri("/affinity/nodes", UriKind.Relative)));

        Assert.True(status.RootElement.GetProperty("directoryAnswers").GetBoolean());
        Assert.Contains("belongs to another", status.RootElement.GetProperty("problem").GetString(), StringComparison.Ordinal);
        var holder = Assert.Single(status.RootElement.GetProperty("nodes").EnumerateArray());
        Assert.Equal(("a", false), (holder.GetProperty("id").GetString(), holder.GetProperty("self").GetBoolean()));
    }

    private static async Task<string?> StateAfterAsync(OperatorApp app, string path)
    {
        using var answer = await app.SendAsync(HttpMethod.Post, path);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("node").GetProperty("state").GetString();
    }

    private static async Task<HttpResponseMessage> AssertProblemAsync(OperatorApp app, string path, HttpStatusCode status)
    {
        var answer = await app.SendAsync(HttpMethod.Post, path);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.ToString());
        Assert.True(answer.Headers.CacheControl?.NoStore);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal((int)status, body.RootElement.GetProperty("status").GetInt32());
        return answer;
    }
}
