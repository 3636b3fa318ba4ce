using System.Globalization;
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
    private const int Visitors = 20;

    [ServerFact(Needs.Redis)]
    public async Task When_one_of_two_nodes_is_killed_under_load_what_was_answered_is_there_or_told_as_lost()
    {
        using var keys = new TempDirectory();
        await using var farm = await StartAsync(keys);
        using var end = new CancellationTokenSource();
        var crowd = Enumerable.Range(0, Visitors).Select(number => new Writer(farm, number)).ToList();
        var load = crowd.Select(writer => writer.RunAsync(end.Token)).ToList();
        await AnsweredAsync(crowd, 200);
        farm.Nodes[1].Kill();
        await AnsweredAsync(crowd, 200);
        await end.CancelAsync();
        await Task.WhenAll(load);

        var results = await Task.WhenAll(crowd.Select(writer => writer.CheckAsync(farm[0])));
        var (lost, untold) = (results.Sum(result => result.Lost), results.Where(result => !result.IsTold).Sum(result => result.Lost));
        output.WriteLine($"SIGKILL of one of 2 nodes, {Visitors} visitors, sessions in an IDistributedCache: {crowd.Sum(writer => writer.Answered)} answered values, {lost} lost, {untold} of them not told");
        Assert.Equal(0, untold);
    }

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

    private static async Task AnsweredAsync(List<Writer> crowd, int more)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var wanted = crowd.Sum(writer => writer.Answered) + more; crowd.Sum(writer => writer.Answered) < wanted; await Task.Delay(20))
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "There is no load.");
        }
    }

    private static async Task<HistoryAnswer> ReadAsync(Visitor visitor, Uri node)
    {
        using var response = await visitor.GetAsync(node, "history");
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<HistoryAnswer>())!;
    }

    /// <summary>Sets one key after another, on one node until that is gone.</summary>
    private sealed class Writer(ProbeFarm farm, int number)
    {
        private readonly Visitor _visitor = new();
        private readonly List<int> _answered = [];
        private int _count;
        private bool _toldMeanwhile;

        public int Answered => Volatile.Read(ref _count);

        public async Task RunAsync(CancellationToken end)
        {
            var node = number;
            for (var value = 0; !end.IsCancellationRequested; value++)
            {
                try
                {
                    using var response = await _visitor.PostAsync(farm[node], string.Create(CultureInfo.InvariantCulture, $"history/set/k{value}/{value}"));
                    if (response.IsSuccessStatusCode)
                    {
                        _toldMeanwhile |= (await response.Content.ReadFromJsonAsync<HistoryAnswer>(CancellationToken.None))!.Lost;
                        _answered.Add(value);
                        Volatile.Write(ref _count, _answered.Count);
                    }
                }
                catch (Exception exception) when (exception is HttpRequestException or IOException)
                {
                    node++;
                }
            }
        }

        public async Task<(int Lost, bool IsTold)> CheckAsync(Uri node)
        {
            var answer = await ReadAsync(_visitor, node);
            return (_answered.Count(value => !answer.Items.ContainsKey(string.Create(CultureInfo.InvariantCulture, $"k{value}"))), answer.Lost || _toldMeanwhile);
        }
    }
}
