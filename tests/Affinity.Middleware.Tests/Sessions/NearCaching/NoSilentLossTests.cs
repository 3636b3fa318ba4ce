using System.Globalization;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;
using static Affinity.Tests.Sessions.NearCaching.NearSample;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>Three nodes, two browsers of one session, and a store that loses everything, the last writes, or its primary for a while, at any moment: whatever a browser was answered is there, or is told.</summary>
public sealed class NoSilentLossTests(ITestOutputHelper output)
{
    private const int Plans = 500;
    private const int Steps = 40;

    // The store remembers sixteen writes of a session; what was lost longer ago than that cannot be told.
    private const int MaxWrites = SessionWrite.RememberedWrites - 2;

    [Fact]
    public async Task Whatever_the_store_loses_and_whenever_what_was_answered_is_there_or_is_told()
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 0; seed < Plans; seed++)
        {
            await new World(seed, counts).RunAsync();
        }

        output.WriteLine(string.Join("; ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}: {pair.Value}"))));
        string[] reached = ["served", "saved", "given back", "told Lost", "told Behind", "told Diverged", "told by a save", "refused Lost", "out of reach"];
        Assert.All(reached, what => Assert.True(counts.GetValueOrDefault(what) >= 20, $"The plans hardly ever lead to: {what}."));
    }

    private sealed class World
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly SortedDictionary<string, int> _counts;
        private readonly ManualTime _time = new();
        private readonly SessionsOptions _options = Options();
        private readonly SessionId _id = SessionId.Create();
        private readonly LossyStore _store;
        private readonly (SessionLoader Loader, SessionSaveLoop Loop)[] _nodes;
        private readonly Browser[] _browsers = [new(), new()];
        private readonly List<int> _marks = [0];
        private int _writes;

        public World(int seed, SortedDictionary<string, int> counts)
        {
            (_seed, _random, _counts, _store) = (seed, new Random(seed), counts, new LossyStore(_time));
            _nodes = [.. Enumerable.Range(0, 3).Select(_ =>
            {
                var near = new NearCache(_options, _time);
                return (Loader(_store, near, _options, _time), new SessionSaveLoop(_store, near, _options, _time, TestMetrics.Create()));
            })];
        }

        public async Task RunAsync()
        {
            await RequestAsync(_browsers[0], writes: true);
            (_browsers[1].Seen, _browsers[1].Has) = (_browsers[0].Seen, [.. _browsers[0].Has]);
            for (var step = 0; step < Steps; step++)
            {
                await StepAsync();
            }
        }

        private async Task StepAsync()
        {
            var browser = _browsers[_random.Next(2)];
            switch (_random.Next(20))
            {
                case < 8:
                    await RequestAsync(browser, writes: false);
                    break;
                case < 15:
                    await RequestAsync(browser, writes: _writes < MaxWrites);
                    break;
                case 15:
                    _store.LoseEverything();
                    _marks.RemoveRange(1, _marks.Count - 1);
                    break;
                case 16 or 17:
                    var at = _random.Next(_marks.Count);
                    await _store.GoBackAsync(_marks[at]);
                    _marks.RemoveRange(at + 1, _marks.Count - at - 1);
                    break;
                case 18:
                    await _store.LetReplicaAnswerAsync(_marks[_random.Next(_marks.Count)]);
                    await RequestAsync(browser, writes: _random.Next(2) == 0);
                    _store.PrimaryIsBack();
                    break;
                default:
                    _time.Advance(TimeSpan.FromSeconds(_random.Next(1, 8)));
                    break;
            }
        }

        /// <summary>A request that may be served before and saved after something was lost.</summary>
        private async Task RequestAsync(Browser browser, bool writes)
        {
            var (loader, loop) = _nodes[_random.Next(3)];
            try
            {
                var start = browser.Seen is null ? null : await LoadAsync(browser, loader);
                if (!writes || (start is null && browser.Seen is not null))
                {
                    return;
                }

                if (_random.Next(6) == 0)
                {
                    _store.LoseEverything();
                    _marks.RemoveRange(1, _marks.Count - 1);
                }

                await SaveAsync(browser, loop, start ?? SessionSnapshot.Empty(_time.GetUtcNow(), _options.AbsoluteTimeout));
            }
            catch (SessionStoreException)
            {
                Count("out of reach"); // an error, and the browser keeps what it has
            }
        }

        private async Task<SessionSnapshot?> LoadAsync(Browser browser, SessionLoader loader)
        {
            var before = _store.Writes;
            var result = await loader.LoadAsync(Ticket(_time, _id, browser.Seen!.Version), default);
            Count(_store.Writes > before && !result.IsNear ? "given back" : "asked");
            if (result.IsLoss)
            {
                Count("told " + result.Kind);
                (browser.Seen, browser.Has) = result.Snapshot is { } left ? (left, [.. left.Items.Keys]) : (browser.Seen, browser.Has);
                return result.Snapshot;
            }

            Assert.Equal(SessionLoadKind.Found, result.Kind);
            Count("served");
            Hold(browser.Has.IsSubsetOf(result.Snapshot!.Items.Keys), "What was served lacks what this browser was answered.");
            return result.Snapshot;
        }

        private async Task SaveAsync(Browser browser, SessionSaveLoop loop, SessionSnapshot start)
        {
            var delta = new SessionDelta();
            var key = string.Create(CultureInfo.InvariantCulture, $"w{++_writes}");
            delta.Set(key, [1]);
            var result = await loop.SaveAsync(_id, start, delta);
            if (result.Saved is not { } saved)
            {
                Count("refused " + result.Ending);
                return;
            }

            _marks.Add(_store.Mark);
            Count(result.Instead.IsNone ? "saved" : "told by a save");
            Hold(saved.Items.ContainsKey(key), "What was saved is not in what was saved.");
            Hold(!result.Instead.IsNone || browser.Has.IsSubsetOf(saved.Items.Keys), "A save lost what this browser was answered.");
            (browser.Seen, browser.Has) = (saved, [.. saved.Items.Keys]);
        }

        private void Hold(bool promise, string text) => Assert.True(promise, string.Create(CultureInfo.InvariantCulture, $"{text} Seed {_seed}."));

        private void Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;
    }

    /// <summary>What somebody was last answered.</summary>
    private sealed class Browser
    {
        public SessionSnapshot? Seen { get; set; }

        public HashSet<string> Has { get; set; } = [];
    }
}
