using System.Globalization;
using System.Net;
using Affinity.Backends;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Any instance serves any request, and what one has answered every other one knows.</summary>
public sealed class SharedSessionTests(ITestOutputHelper output)
{
    [ServerTheory(Needs.Redis | Needs.Postgres)]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Postgres)]
    [InlineData(StoreKind.RedisOverPostgres)]
    [InlineData(StoreKind.Distributed)]
    public async Task What_one_node_has_answered_the_next_one_reads(StoreKind store)
    {
        await using var farm = await ProbeFarm.StartAsync(new FarmStart { Store = store, Nodes = 3, RoundTrip = TimeSpan.FromMilliseconds(1) });
        var visitor = new Visitor();
        var missed = 0;
        for (var hop = 0; hop < 300; hop++)
        {
            var value = hop.ToString(CultureInfo.InvariantCulture);
            await SavedAsync(await visitor.PostAsync(farm[hop], "set/hop/" + value));
            using var read = await visitor.GetAsync(farm[hop + 1], "get/hop");
            missed += string.Equals(await read.Content.ReadAsStringAsync(), value, StringComparison.Ordinal) ? 0 : 1;
        }

        output.WriteLine($"{store}: 300 hops over 3 instances, 1 ms to the store: {missed} missed");
        Assert.Equal(0, missed);
    }

    [ServerTheory(Needs.Redis | Needs.Postgres)]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Postgres)]
    [InlineData(StoreKind.RedisOverPostgres)]
    public async Task Parallel_requests_of_one_session_on_two_nodes_all_keep_their_keys(StoreKind store)
    {
        await using var farm = await ProbeFarm.StartAsync(new FarmStart { Store = store, RoundTrip = TimeSpan.FromMilliseconds(1) });
        var visitor = new Visitor();
        await SavedAsync(await visitor.PostAsync(farm[0], "set/first/1"));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i => await SavedAsync(await visitor.PostAsync(farm[i], $"set/k{i}/{i}"))));

        var keys = await visitor.GetStringAsync(farm[0], "keys");
        var kept = keys.Split(',').Count(key => key.Contains("\"k", StringComparison.Ordinal));
        output.WriteLine($"{store}: 50 parallel requests of one session on 2 nodes, each its own key: {kept} kept");
        Assert.Equal(50, kept);
    }

    [ServerTheory(Needs.Redis | Needs.Postgres)]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Postgres)]
    [InlineData(StoreKind.RedisOverPostgres)]
    public async Task A_thousand_parallel_increments_over_three_nodes_make_exactly_a_thousand(StoreKind store)
    {
        await using var farm = await ProbeFarm.StartAsync(new FarmStart { Store = store, Nodes = 3 });
        var visitor = new Visitor();
        await SavedAsync(await visitor.PostAsync(farm[0], "set/first/1"));
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, _) =>
        {
            using var response = await visitor.PostAsync(farm[i], "add/n");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        });

        var total = await visitor.GetStringAsync(farm[1], "get/n");

        output.WriteLine($"{store}: 1,000 parallel increments over 3 nodes: {total}");
        Assert.Equal("1000", total);
    }

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

        output.WriteLine($"60 flushed answers of fixed length, 20 ms to Redis, read at once elsewhere: {missed} missed");
        Assert.Equal(0, missed);
    }

    [ServerTheory(Needs.Redis | Needs.Postgres)]
    [InlineData(StoreKind.Redis)]
    [InlineData(StoreKind.Postgres)]
    [InlineData(StoreKind.RedisOverPostgres)]
    [InlineData(StoreKind.Distributed)]
    public async Task A_slow_writer_cannot_bring_a_session_back_that_was_signed_out_elsewhere(StoreKind store)
    {
        await using var farm = await ProbeFarm.StartAsync(new FarmStart { Store = store, RoundTrip = TimeSpan.FromMilliseconds(1) });
        var resurrected = 0;
        for (var i = 0; i < 20; i++)
        {
            var visitor = new Visitor();
            await SavedAsync(await visitor.PostAsync(farm[0], "set/x/old"));
            var slow = visitor.Clone();
            // Slow enough that the sign-out is first on a busy machine too; else the write is rightly answered with success.
            var writing = slow.PostAsync(farm[0], $"held/x/new/{i}");
            (await new Visitor().GetAsync(farm[0], $"entered/{i}")).EnsureSuccessStatusCode();
            (await visitor.GetAsync(farm[1], "signout")).EnsureSuccessStatusCode();
            (await new Visitor().PostAsync(farm[0], $"release/{i}")).EnsureSuccessStatusCode();
            using var refused = await writing;
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            using var back = await slow.GetAsync(farm[i], "get/x");
            resurrected += back.StatusCode == HttpStatusCode.NotFound && slow.LastSetCookies.All(cookie => cookie.StartsWith("AFF=", StringComparison.Ordinal)) ? 0 : 1;
        }

        output.WriteLine($"{store}: 20 log-outs against a slow writer: {resurrected} resurrected");
        Assert.Equal(0, resurrected);
    }

    private static async Task SavedAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal("saved", await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        }
    }
}
