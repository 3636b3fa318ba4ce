using System.Net;
using System.Net.Http.Json;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Real nodes whose sessions lie in a cache that cannot compare and set: what is lost is told.</summary>
public sealed class DistributedCacheTests(ITestOutputHelper output)
{
    /// <summary>The worst case for such a cache: parallel tabs of one visitor on two nodes. Whoever is answered "saved" has it saved, or comes with a ticket that tells.</summary>
    [ServerFact(Needs.Redis)]
    public async Task Of_parallel_tabs_on_two_nodes_each_is_kept_or_is_told_when_its_own_cookie_comes_back()
    {
        using var keys = new TempDirectory();
        await using var farm = await StartAsync(keys);
        var (kept, told, untold) = (0, 0, 0);
        for (var round = 0; round < 40; round++)
        {
            var visitor = new Visitor();
            (await visitor.PostAsync(farm[0], "set/first/1")).EnsureSuccessStatusCode();
            var tabs = Enumerable.Range(0, 4).Select(_ => visitor.Clone()).ToList();
            await Task.WhenAll(tabs.Select(async (tab, i) => (await tab.PostAsync(farm[i], $"set/k{i}/{i}")).EnsureSuccessStatusCode()));
            for (var i = 0; i < tabs.Count; i++)
            {
                var answer = await ReadAsync(tabs[i], farm[i + 1]);
                var isThere = answer.Items.ContainsKey($"k{i}");
                (kept, told, untold) = (kept + (isThere ? 1 : 0), told + (!isThere && answer.Lost ? 1 : 0), untold + (!isThere && !answer.Lost ? 1 : 0));
            }
        }

        output.WriteLine($"40 sessions, 4 parallel tabs each on 2 nodes over an IDistributedCache, each its own key: {kept} kept, {told} lost and told, {untold} lost and not told");
        Assert.Equal(0, untold);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_session_that_was_ended_on_one_node_is_ended_on_the_other_within_the_age_of_what_it_remembers()
    {
        using var keys = new TempDirectory();
        await using var farm = await StartAsync(keys);
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();
        var copy = visitor.Clone();
        Assert.Equal("1", await copy.GetStringAsync(farm[1], "get/x"));
        (await visitor.PostAsync(farm[0], "abandon")).EnsureSuccessStatusCode();

        await Task.Delay(TimeSpan.FromSeconds(1.2));

        using var read = await copy.GetAsync(farm[1], "get/x");
        using var write = await copy.PostAsync(farm[1], "set/y/1");
        Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await copy.GetAsync(farm[1], "get/x")).StatusCode);
    }

    internal static (string Key, string Value)[] Settings(string keys) =>
        [("Affinity:Store", "Distributed"), ("Probe:Cache", "redis"), ("Affinity:KeyDirectory", keys), ("Affinity:Sessions:StoreTimeout", "00:00:05"), ("Affinity:Sessions:NearCache:MaxAge", "00:00:01")];

    private static Task<ProbeFarm> StartAsync(TempDirectory keys) => ProbeFarm.StartAsync(2, TimeSpan.FromMilliseconds(1), Settings(keys.Path));

    private static async Task<HistoryAnswer> ReadAsync(Visitor visitor, Uri node)
    {
        using var response = await visitor.GetAsync(node, "history");
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<HistoryAnswer>())!;
    }
}
