using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Two nodes whose Redis falls silent: what they answer meanwhile is told to it afterwards, on whichever node the visitor comes to.</summary>
public sealed class JournalTests(ITestOutputHelper output, JournalTests.Nodes farms) : IClassFixture<JournalTests.Nodes>
{
    private const string Cookie = "__Host-affinity";

    private ProbeFarm Farm => farms.Farm;

    [ServerFact(Needs.Redis)]
    public async Task While_Redis_is_silent_no_visitor_is_refused_and_what_was_answered_is_read_on_the_other_node()
    {
        var shoppers = Enumerable.Range(0, 6).Select(i => new Shopper(Farm[i % 2], Farm[(i + 1) % 2])).ToArray();
        foreach (var shopper in shoppers)
        {
            await shopper.AddAsync();
        }

        Farm.Redis.Freeze();
        try
        {
            var until = Stopwatch.GetTimestamp() + (3 * Stopwatch.Frequency);
            await Task.WhenAll(shoppers.Select(shopper => shopper.ShopAsync(until)));
        }
        finally
        {
            Farm.Redis.Thaw();
        }

        await Eventually.AnswersAsync(Farm[0], "affinity/health/ready", HttpStatusCode.OK);
        var lost = 0;
        foreach (var shopper in shoppers)
        {
            lost += await shopper.CountLostAsync();
        }

        var times = shoppers.SelectMany(shopper => shopper.Times).Order().ToArray();
        var (p99, refused) = (times[times.Length * 99 / 100], shoppers.Sum(shopper => shopper.Refused));
        output.WriteLine($"Redis silent for 3 s under {shoppers.Length} visitors: {times.Length} requests, {refused} refused, {lost} lost, p99 {p99.TotalMilliseconds:N0} ms, longest {times[^1].TotalMilliseconds:N0} ms");
        Assert.True(times.Length > 30, $"Only {times.Length} requests: no load.");
        Assert.Equal((0, 0), (refused, lost));
        Assert.InRange(p99, TimeSpan.Zero, TimeSpan.FromSeconds(1.5));
    }

    [ServerFact(Needs.Redis)]
    public async Task What_has_no_room_in_the_cookie_is_a_503_and_nothing_that_was_answered_is_lost_or_shown()
    {
        var (visitor, stranger) = (new Visitor(), new Visitor());
        (await visitor.PostAsync(Farm[0], "set/basket/tea")).EnsureSuccessStatusCode();

        Farm.Redis.Freeze();
        try
        {
            (await visitor.PostAsync(Farm[0], "set/colour/vermilion")).EnsureSuccessStatusCode();
            (await stranger.PostAsync(Farm[1], "set/colour/vermilion")).EnsureSuccessStatusCode();
            var before = visitor.Cookies[Cookie];
            using var tooMuch = await visitor.PostAsync(Farm[0], "set/big/" + new string('x', 3000));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, tooMuch.StatusCode);
            Assert.Equal(before, visitor.Cookies[Cookie]);
            foreach (var cookie in new[] { before!, stranger.Cookies[Cookie]! })
            {
                Assert.Equal(-1, Base64Url.DecodeFromChars(cookie).AsSpan().IndexOf("vermilion"u8));
            }
        }
        finally
        {
            Farm.Redis.Thaw();
        }

        Assert.Equal("[\"basket\",\"colour\"]", await Eventually.AnswersAsync(Farm[1], "keys", HttpStatusCode.OK, visitor));
        Assert.Equal("vermilion", await visitor.GetStringAsync(Farm[1], "get/colour"));
        Assert.Equal("[\"basket\",\"colour\"]", await visitor.GetStringAsync(Farm[0], "keys"));
        Assert.Equal("vermilion", await Eventually.AnswersAsync(Farm[0], "get/colour", HttpStatusCode.OK, stranger));
        Assert.InRange(visitor.Cookies[Cookie]!.Length, 1, 150);
        await Farm.Nodes[0].Output.WaitForLineAsync("changes ride in the visitors' cookies");
    }

    /// <summary>Puts one thing after another into the basket, on one node, and remembers what was answered.</summary>
    private sealed class Shopper(Uri node, Uri other)
    {
        private readonly Visitor _visitor = new() { Patience = TimeSpan.FromSeconds(10) };
        private readonly List<int> _answered = [];
        private int _next;

        public List<TimeSpan> Times { get; } = [];

        public int Refused { get; private set; }

        public async Task ShopAsync(long until)
        {
            while (Stopwatch.GetTimestamp() < until)
            {
                await AddAsync();
                await Task.Delay(50);
            }
        }

        public async Task AddAsync()
        {
            var (thing, began) = (_next++, Stopwatch.GetTimestamp());
            using var response = await _visitor.PostAsync(node, string.Create(CultureInfo.InvariantCulture, $"set/k{thing}/{thing}"));
            Times.Add(Stopwatch.GetElapsedTime(began));
            if (response.IsSuccessStatusCode)
            {
                _answered.Add(thing);
            }
            else
            {
                Refused++;
            }
        }

        public async Task<int> CountLostAsync()
        {
            var keys = await Eventually.AnswersAsync(other, "keys", HttpStatusCode.OK, _visitor);
            return _answered.Count(thing => !keys.Contains(string.Create(CultureInfo.InvariantCulture, $"\"k{thing}\""), StringComparison.Ordinal));
        }
    }

    /// <summary>One farm for all tests of the class.</summary>
    public sealed class Nodes : IAsyncLifetime
    {
        private ProbeFarm? _farm;

        internal ProbeFarm Farm => _farm!;

        public async Task InitializeAsync() => _farm = await ProbeFarm.StartAsync(2);

        public async Task DisposeAsync() => await _farm!.DisposeAsync();
    }
}
