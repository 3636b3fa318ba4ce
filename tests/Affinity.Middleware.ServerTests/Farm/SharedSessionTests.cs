using System.Globalization;
using System.Net;
using Affinity.Backends;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Any instance serves any request, and what one has answered every other one knows: with whatever store.</summary>
public abstract class SharedSessionTests(ITestOutputHelper output, StoreFarm nodes)
{
    private protected ITestOutputHelper Output => output;

    private protected ProbeFarm Farm => nodes.Farm;

    private protected StoreKind Store => nodes.Store;

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task What_one_node_has_answered_the_next_one_reads()
    {
        var visitor = new Visitor();
        var missed = 0;
        for (var hop = 0; hop < 300; hop++)
        {
            var value = hop.ToString(CultureInfo.InvariantCulture);
            await SavedAsync(await visitor.PostAsync(Farm[hop], "set/hop/" + value));
            using var read = await visitor.GetAsync(Farm[hop + 1], "get/hop");
            missed += string.Equals(await read.Content.ReadAsStringAsync(), value, StringComparison.Ordinal) ? 0 : 1;
        }

        output.WriteLine($"{Store}: 300 hops over 3 instances, 1 ms to the store: {missed} missed");
        Assert.Equal(0, missed);
    }

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task A_slow_writer_cannot_bring_a_session_back_that_was_signed_out_elsewhere()
    {
        var resurrected = 0;
        for (var i = 0; i < 20; i++)
        {
            var visitor = new Visitor();
            await SavedAsync(await visitor.PostAsync(Farm[0], "set/x/old"));
            var slow = visitor.Clone();
            // Slow enough that the sign-out is first on a busy machine too; else the write is rightly answered with success.
            var writing = slow.PostAsync(Farm[0], $"held/x/new/{i}");
            (await new Visitor().GetAsync(Farm[0], $"entered/{i}")).EnsureSuccessStatusCode();
            (await visitor.GetAsync(Farm[1], "signout")).EnsureSuccessStatusCode();
            (await new Visitor().PostAsync(Farm[0], $"release/{i}")).EnsureSuccessStatusCode();
            using var refused = await writing;
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            using var back = await slow.GetAsync(Farm[i % 2], "get/x");
            resurrected += back.StatusCode == HttpStatusCode.NotFound && slow.LastSetCookies.All(cookie => cookie.StartsWith("AFF=", StringComparison.Ordinal)) ? 0 : 1;
        }

        output.WriteLine($"{Store}: 20 log-outs against a slow writer: {resurrected} resurrected");
        Assert.Equal(0, resurrected);
    }

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task Nothing_that_was_answered_is_lost_when_a_node_is_killed_under_load()
    {
        var visitors = Enumerable.Range(0, 30).Select(i => new LoadedVisitor(Farm, i)).ToList();
        await Task.WhenAll(visitors.Select(visitor => visitor.SignInAsync()));
        using var end = new CancellationTokenSource();
        var load = visitors.Select(visitor => visitor.LoadAsync(end.Token)).ToList();
        await AnswerAsync(200, visitors);

        Farm.Nodes[1].Kill();
        await AnswerAsync(200, visitors);
        await end.CancelAsync();
        await Task.WhenAll(load);

        var results = await Task.WhenAll(visitors.Select(visitor => visitor.CheckAsync(Farm[0], Farm[2])));
        var (answered, lost, signedOut) = (results.Sum(r => r.Answered), results.Sum(r => r.Lost), results.Count(r => r.SignedOut));
        output.WriteLine($"{Store}: SIGKILL under load of 30 visitors: {answered} answered values, {lost} lost, {signedOut} signed out, {visitors.Sum(v => v.Broken)} requests broken off in flight");
        await Farm.Nodes[1].RestartAsync();
        Assert.Equal((0, 0), (lost, signedOut));
    }

    /// <summary>By work and not by time, so that a busy machine takes longer and shows no less.</summary>
    private static async Task AnswerAsync(int more, List<LoadedVisitor> visitors)
    {
        var wanted = visitors.Sum(visitor => visitor.Answered) + more;
        for (var tries = 0; visitors.Sum(visitor => visitor.Answered) < wanted; tries++)
        {
            Assert.True(tries < 1000, $"Not {more} values were answered: no load.");
            await Task.Delay(50);
        }
    }

    private protected static async Task SavedAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal("saved", await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        }
    }
}

/// <summary>What holds beyond that where the store compares and sets in one step.</summary>
public abstract class AtomicSharedSessionTests(ITestOutputHelper output, StoreFarm nodes) : SharedSessionTests(output, nodes)
{
    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task Parallel_requests_of_one_session_on_two_nodes_all_keep_their_keys()
    {
        var visitor = new Visitor();
        await SavedAsync(await visitor.PostAsync(Farm[0], "set/first/1"));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i => await SavedAsync(await visitor.PostAsync(Farm[i % 2], $"set/k{i}/{i}"))));

        var keys = await visitor.GetStringAsync(Farm[0], "keys");
        var kept = keys.Split(',').Count(key => key.Contains("\"k", StringComparison.Ordinal));
        Output.WriteLine($"{Store}: 50 parallel requests of one session on 2 nodes, each its own key: {kept} kept");
        Assert.Equal(50, kept);
    }

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task A_thousand_parallel_increments_over_three_nodes_make_exactly_a_thousand()
    {
        var visitor = new Visitor();
        await SavedAsync(await visitor.PostAsync(Farm[0], "set/first/1"));
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, _) =>
        {
            using var response = await visitor.PostAsync(Farm[i], "add/n");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        });

        var total = await visitor.GetStringAsync(Farm[1], "get/n");

        Output.WriteLine($"{Store}: 1,000 parallel increments over 3 nodes: {total}");
        Assert.Equal("1000", total);
    }
}

/// <summary>In Redis.</summary>
public sealed class RedisSharedSessionTests(ITestOutputHelper output, RedisSharedSessionTests.Nodes nodes) : AtomicSharedSessionTests(output, nodes), IClassFixture<RedisSharedSessionTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public async Task An_answer_that_was_flushed_before_the_handler_returned_has_been_saved()
    {
        await using var farm = await ProbeFarm.StartAsync(2, TimeSpan.FromMilliseconds(20));
        var missed = 0;
        var visitor = new Visitor();
        for (var i = 0; i < 60; i++)
        {
            var value = i.ToString(CultureInfo.InvariantCulture);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(farm[0], "flush/x/" + value));
            using var flushed = await visitor.SendAsync(request);
            Assert.Equal("saved", await flushed.Content.ReadAsStringAsync());
            using var read = await visitor.GetAsync(farm[1], "get/x");
            missed += string.Equals(await read.Content.ReadAsStringAsync(), value, StringComparison.Ordinal) ? 0 : 1;
        }

        Output.WriteLine($"60 flushed answers of fixed length, 20 ms to Redis, read at once elsewhere: {missed} missed");
        Assert.Equal(0, missed);
    }

    public sealed class Nodes() : StoreFarm(StoreKind.Redis);
}

/// <summary>In PostgreSQL.</summary>
public sealed class PostgresSharedSessionTests(ITestOutputHelper output, PostgresSharedSessionTests.Nodes nodes) : AtomicSharedSessionTests(output, nodes), IClassFixture<PostgresSharedSessionTests.Nodes>
{
    public sealed class Nodes() : StoreFarm(StoreKind.Postgres);
}

/// <summary>In PostgreSQL, with Redis in front of it.</summary>
public sealed class CachedPostgresSharedSessionTests(ITestOutputHelper output, CachedPostgresSharedSessionTests.Nodes nodes) : AtomicSharedSessionTests(output, nodes), IClassFixture<CachedPostgresSharedSessionTests.Nodes>
{
    public sealed class Nodes() : StoreFarm(StoreKind.RedisOverPostgres);
}

/// <summary>In a cache that cannot compare and set.</summary>
public sealed class DistributedSharedSessionTests(ITestOutputHelper output, DistributedSharedSessionTests.Nodes nodes) : SharedSessionTests(output, nodes), IClassFixture<DistributedSharedSessionTests.Nodes>
{
    public sealed class Nodes() : StoreFarm(StoreKind.Distributed);
}
