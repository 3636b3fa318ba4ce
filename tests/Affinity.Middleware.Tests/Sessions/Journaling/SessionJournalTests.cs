using Affinity.Sessions;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>What a journal says when it is read in order, and how it is written.</summary>
public sealed class SessionJournalTests
{
    private static readonly SessionVersion Base = new(7, 0x3FA9_0000_0000_0001);

    [Fact]
    public void The_last_entry_that_decides_a_key_counts()
    {
        var journal = Journal(Entry(1, ("x", 1), ("y", 1)), Entry(2, ("x", 2)), Entry(3, ("y", null)));

        Assert.True(journal.TryGet("x", out var x));
        Assert.Equal([2], x);
        Assert.True(journal.TryGet("y", out var y));
        Assert.Null(y);
        Assert.False(journal.TryGet("z", out _));
        Assert.Equal(["x", "z"], journal.ApplyTo(Session(Items("y", "z"))).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void After_a_clear_every_key_is_decided()
    {
        var journal = Journal(Entry(1, ("x", 1)), Entry(2, ("y", 1)) with { Clears = true });

        Assert.True(journal.Clears && journal.TryGet("x", out var gone) && gone is null);
        Assert.Equal(["y"], journal.ApplyTo(Session(Items("x", "z"))).Keys);
        Assert.Empty(journal.Entries[0].Changes);
    }

    [Fact]
    public void What_is_decided_later_is_carried_once_and_every_tag_stays()
    {
        var journal = Journal(Entry(1, ("x", 1), ("y", 1)), Entry(2, ("x", 2)), Entry(3, ("x", 3)));

        Assert.Equal([1UL, 2, 3], journal.Entries.Select(entry => entry.Tag));
        Assert.Equal(["y", "x"], journal.Entries.SelectMany(entry => entry.Changes.Keys));
    }

    [Fact]
    public void Past_eight_entries_the_oldest_are_joined_but_neither_the_first_one_nor_a_sign_in()
    {
        var journal = Journal([.. Enumerable.Range(1, 8).Select(i => Entry((ulong)i, ("k" + i, (byte)i)) with { RaisesGeneration = i == 2 })]);

        var more = journal.With(Entry(9, ("k9", 9)))!;

        Assert.Equal([1UL, 2, 4, 5, 6, 7, 8, 9], more.Entries.Select(entry => entry.Tag));
        Assert.Equal(["k3", "k4"], more.Entries[2].Changes.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(9, more.ApplyTo(Session(SessionSnapshot.NoItems)).Count);
        Assert.Equal((1, 2UL), (more.Raises, more.LastRaise));
        Assert.Equal([3UL], more.Entries[2].Joined);
    }

    [Fact]
    public void What_the_session_holds_already_is_not_done_again()
    {
        var journal = Journal(Entry(1, ("x", 1)), Entry(2, ("y", 1)));
        var later = Session(new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["x"] = [9] }, new SessionVersion(8, 1), new SessionVersion(9, 77));

        Assert.Equal([9], journal.ApplyTo(later)["x"]);
        Assert.Equal([1], journal.ApplyTo(later)["y"]);
    }

    [Fact]
    public void Eight_sign_ins_leave_no_room_for_a_ninth_entry() =>
        Assert.Null(Journal([.. Enumerable.Range(1, 8).Select(i => Entry((ulong)i) with { RaisesGeneration = true })]).With(Entry(9, ("x", 1))));

    [Fact]
    public void However_many_entries_it_says_what_they_say_one_after_the_other()
    {
        var changes = Gen.ListOf(Gen.Choose(0, 39)).Select(list => list.Take(40).ToArray());
        Prop.ForAll(Arb.From(changes), codes =>
        {
            var (journal, plain) = (SessionJournal.Empty, new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["a"] = [99] });
            foreach (var (code, i) in codes.Select((code, i) => (code, i)))
            {
                var (key, kind) = ("abcd"[code % 4].ToString(), code / 4);
                var entry = Entry((ulong)i + 1, (key, kind < 3 ? null : (byte)i)) with { Clears = kind == 9 };
                journal = journal.With(entry)!;
                plain = entry.ToDelta().ApplyTo(plain);
            }

            var result = journal.ApplyTo(Session(new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["a"] = [99] }));
            return journal.Entries.Count <= SessionJournal.MaxEntries
                && result.Count == plain.Count && plain.All(item => result[item.Key].SequenceEqual(item.Value));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Format_1_is_what_the_golden_file_says()
    {
        var journal = Golden();

        var encoded = SessionJournalCodec.Encode(journal);

        var golden = Path.Combine(AppContext.BaseDirectory, "Sessions", "golden", "journal-format-1.hex");
        Assert.Equal(File.ReadAllText(golden).ReplaceLineEndings(string.Empty), Convert.ToHexStringLower(encoded));
        Assert.Equal(encoded.Length, SessionJournalCodec.SizeOf(journal));
        Assert.Equal(JournalDecoding.Decoded, SessionJournalCodec.TryDecode(encoded, out var decoded));
        Assert.Equal(encoded, SessionJournalCodec.Encode(decoded));
    }

    [Fact]
    public void Every_truncation_extension_and_flipped_length_is_refused()
    {
        var encoded = SessionJournalCodec.Encode(Golden());
        for (var length = 0; length < encoded.Length; length++)
        {
            Assert.Equal(JournalDecoding.Damaged, SessionJournalCodec.TryDecode(encoded.AsSpan(0, length), out _));
        }

        Assert.Equal(JournalDecoding.Damaged, SessionJournalCodec.TryDecode([.. encoded, 0], out _));
        foreach (var (at, value) in new[] { (1, 0), (1, 3), (1, 9), (2, 4), (10, 0), (18, 0xFF), (27, 1), (27, 9), (27, 0xFF), (28, 0xFF), (30, 0xFF), (31, 0xFF), (37, 0xFF) })
        {
            var changed = encoded.ToArray();
            changed[at] = (byte)value;
            Assert.True(SessionJournalCodec.TryDecode(changed, out _) == JournalDecoding.Damaged || at is 18, $"{value} at {at}");
        }
    }

    [Fact]
    public void A_tag_or_a_key_that_comes_twice_is_refused()
    {
        Assert.Equal(JournalDecoding.Damaged, SessionJournalCodec.TryDecode(SessionJournalCodec.Encode(new SessionJournal([Entry(1), Entry(1)])), out _));
        var twice = SessionJournalCodec.Encode(new SessionJournal([Entry(1, ("a", 1), ("b", 1))]));
        twice[Array.LastIndexOf(twice, (byte)'b')] = (byte)'a';
        Assert.Equal(JournalDecoding.Damaged, SessionJournalCodec.TryDecode(twice, out _));
    }

    [Fact]
    public void A_later_format_is_told_apart_from_damage() =>
        Assert.Equal(JournalDecoding.Newer, SessionJournalCodec.TryDecode([2, 1, 2, 3], out _));

    [Fact]
    public void Random_bytes_never_throw() =>
        Prop.ForAll<byte[], byte>((bytes, count) =>
        {
            SessionJournalCodec.TryDecode(bytes, out _);
            SessionJournalCodec.TryDecode([1, (byte)(count % 10), .. bytes], out _);
            SessionJournalCodec.TryDecode([1, 1, 0, .. new byte[16], .. Enumerable.Repeat((byte)1, 8), 0, (byte)(count % 4), .. bytes], out _);
        }).QuickCheckThrowOnFailure();

    private static SessionJournal Golden() => new(
    [
        new JournalEntry(Base, 0x0102_0304_0506_0708, Clears: false, RaisesGeneration: false, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["basket"] = "[1,2]"u8.ToArray(), ["ключ"] = null }),
        new JournalEntry(SessionVersion.None, 0x1112_1314_1516_1718, Clears: true, RaisesGeneration: true, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["empty"] = [] }) { Joined = [0x2122_2324_2526_2728, 0x3132_3334_3536_3738] },
    ]);

    private static SessionJournal Journal(params JournalEntry[] entries) => entries.Aggregate(SessionJournal.Empty, (journal, entry) => journal.With(entry)!);

    private static JournalEntry Entry(ulong tag, params (string Key, byte? Value)[] changes) =>
        new(Base, tag, Clears: false, RaisesGeneration: false, changes.ToDictionary(change => change.Key, change => change.Value is { } value ? new[] { value } : null, StringComparer.Ordinal));

    private static SessionSnapshot Session(IReadOnlyDictionary<string, byte[]> items, params SessionVersion[] writes) =>
        new() { Version = writes.LastOrDefault(), Generation = 0, Created = default, Renewed = default, Items = items, IdleUntil = default, Expires = default, Writes = writes };

    private static Dictionary<string, byte[]> Items(params string[] keys) => keys.ToDictionary(key => key, _ => new byte[] { 1 }, StringComparer.Ordinal);
}
