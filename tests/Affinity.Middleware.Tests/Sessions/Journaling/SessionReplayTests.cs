using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tests.Sessions.NearCaching;
using Affinity.TestKit;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>Whatever is replayed in whatever order, on whichever node, every entry takes effect once, where it is told first.</summary>
public sealed class SessionReplayTests
{
    private const int Entries = 5;
    private const int Others = 8;

    [Fact]
    public void Every_entry_takes_effect_once_however_often_and_wherever_it_is_replayed() =>
        Prop.ForAll(Arb.From(Gen.ListOf(Gen.Choose(0, 179)).Select(codes => codes.Take(25).ToArray())), codes => new Run().Holds(codes)).QuickCheckThrowOnFailure();

    [Fact]
    public async Task An_entry_on_the_newest_version_costs_one_write_and_so_does_each_that_follows()
    {
        var run = new Run();
        run.Journal("a");
        run.Journal("b");
        run.Journal("c");

        await run.ReplayAsync(0, 3);

        Assert.Equal(3, run.Writes);
    }

    /// <summary>A promoted replica lacked the last second, and what a journal held went on top of an older state: three values were lost, and nobody was told.</summary>
    [Fact]
    public async Task What_the_store_has_lost_meanwhile_is_given_back_before_a_journal_is_told_on_top()
    {
        var (time, options, id) = (new ManualTime(), new SessionsOptions(), SessionId.Create());
        var store = new LossyStore(time);
        var node = new Node(store, options, time);
        var first = await SaveAsync(SessionSnapshot.Empty(time.GetUtcNow(), options.AbsoluteTimeout), "a");
        var mark = store.Mark;
        var last = await SaveAsync(first, "b");
        await store.GoBackAsync(mark);
        var journal = SessionJournal.Empty.With(
            new JournalEntry(last.Version, JournalEntry.NewTag(), Clears: false, RaisesGeneration: false, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["c"] = [3] }))!;
        var now = time.GetUtcNow();

        var result = await node.Replay.ReplayAsync(new Ticket(id, last.Version, 0, now, now.AddMinutes(20), now.AddHours(1)), journal);

        Assert.Equal(SessionLoadKind.Found, result.Kind);
        Assert.Equal(["a", "b", "c"], result.Snapshot!.Items.Keys.Order(StringComparer.Ordinal));

        async Task<SessionSnapshot> SaveAsync(SessionSnapshot start, string key)
        {
            var delta = new SessionDelta();
            delta.Set(key, [1]);
            return (await node.Loop.SaveAsync(id, start, delta)).Saved!;
        }
    }

    /// <summary>A session, two nodes, a visitor whose tickets carry longer and longer journals, and what must come of it.</summary>
    private sealed class Run
    {
        private readonly ManualTime _time = new();
        private readonly SessionsOptions _options = new();
        private readonly SessionId _id = SessionId.Create();
        private readonly MemorySessionStore _memory;
        private readonly FaultyStore _store;
        private readonly Node[] _nodes;
        private readonly SessionSnapshot _base;
        private readonly List<SessionJournal> _tickets = [SessionJournal.Empty];
        private readonly Dictionary<string, int> _model = new(StringComparer.Ordinal) { ["base"] = 0 };
        private readonly HashSet<ulong> _told = [];
        private readonly int _writesBefore;
        private int _values;
        private int _others;
        private bool _isLate = true;

        public Run()
        {
            _memory = new MemorySessionStore(_time);
            _store = new FaultyStore(_memory);
            _nodes = [new Node(_store, _options, _time), new Node(_store, _options, _time)];
            var delta = new SessionDelta();
            delta.Set("base", BitConverter.GetBytes(0));
            _base = _nodes[0].Loop.SaveAsync(_id, SessionSnapshot.Empty(_time.GetUtcNow(), _options.AbsoluteTimeout), delta).AsTask().Result.Saved!;
            _writesBefore = _store.Writes;
        }

        public int Writes => _store.Writes - _writesBefore;

        public bool Holds(int[] codes)
        {
            foreach (var code in codes)
            {
                var (kind, key, which) = (code % 6, "abc"[code / 6 % 3].ToString(), code / 18);
                switch (kind)
                {
                    case 0 or 1 when _tickets.Count <= Entries:
                        Journal(key);
                        break;
                    case 2 when _others < Others:
                        Save(which % 2, key);
                        break;
                    case 3 when _isLate && _tickets.Count > 1:
                        ArriveLate();
                        break;
                    default:
                        ReplayAsync(which % 2, which % _tickets.Count).Wait();
                        break;
                }
            }

            ReplayAsync(0, _tickets.Count - 1).Wait();
            var stored = SessionDecoder.Decode(_memory.ReadAsync(SessionKey.Of(_id), SessionVersion.None, default).AsTask().Result.Session!, _time).Items;
            return stored.Count == _model.Count && _model.All(item => BitConverter.ToInt32(stored[item.Key]) == item.Value);
        }

        public void Journal(string key)
        {
            var entry = new JournalEntry(
                _base.Version, JournalEntry.NewTag(), Clears: false, RaisesGeneration: false, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { [key] = BitConverter.GetBytes(++_values) });
            _tickets.Add(_tickets[^1].With(entry)!);
        }

        public async Task ReplayAsync(int node, int ticket)
        {
            var journal = _tickets[ticket];
            if (journal.IsEmpty)
            {
                return;
            }

            var now = _time.GetUtcNow();
            var result = await _nodes[node].Replay.ReplayAsync(new Ticket(_id, _base.Version, 0, now, now.AddMinutes(20), now.AddHours(1)), journal);
            Assert.Equal(SessionLoadKind.Found, result.Kind);
            foreach (var entry in journal.Entries.Where(entry => _told.Add(entry.Tag)))
            {
                Apply(entry);
            }
        }

        private void Save(int node, string key)
        {
            _others++;
            var delta = new SessionDelta();
            delta.Set(key, BitConverter.GetBytes(++_values));
            _model[key] = _values;
            Assert.NotNull(_nodes[node].Loop.SaveAsync(_id, _base, delta).AsTask().Result.Saved);
        }

        /// <summary>The first try of the first entry, which was under way all the time: it counts if nobody was before.</summary>
        private void ArriveLate()
        {
            _isLate = false;
            var entry = _tickets[1].Entries[0];
            var items = entry.ToDelta().ApplyTo(_base.Items);
            var write = new SessionWrite(
                _base.Version, new SessionVersion(_base.Version.Counter + 1, entry.Tag), 0, SessionCodec.Encode(_base.Created, _base.Renewed, items, _options.MaxBytes), _options.IdleTimeout, _options.AbsoluteTimeout);
            if (_memory.WriteAsync(SessionKey.Of(_id), write, default).AsTask().Result.Kind == SessionWriteKind.Written && _told.Add(entry.Tag))
            {
                Apply(entry);
            }
        }

        private void Apply(JournalEntry entry)
        {
            foreach (var (key, value) in entry.Changes)
            {
                _model[key] = BitConverter.ToInt32(value);
            }
        }
    }

    private sealed class Node
    {
        public Node(ISessionStore store, SessionsOptions options, TimeProvider time)
        {
            var near = new NearCache(options, time);
            var metrics = TestMetrics.Create();
            Loop = new SessionSaveLoop(store, near, options, time, metrics);
            Replay = new SessionReplay(NearSample.Loader(store, near, options, time, metrics), Loop, near, options, time, metrics, NullLogger<SessionReplay>.Instance);
        }

        public SessionSaveLoop Loop { get; }

        public SessionReplay Replay { get; }
    }
}
