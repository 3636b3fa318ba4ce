using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using static Affinity.Tests.Sessions.NearCaching.NearSample;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>What a node remembers: for how long, how much, and what it must not.</summary>
public sealed class NearCacheTests
{
    private readonly ManualTime _time = new();
    private readonly SessionId _id = SessionId.Create();

    private SessionKey Key => SessionKey.Of(_id);

    [Fact]
    public void What_was_put_in_is_found_until_its_age_is_reached_and_known_as_old_from_then_on()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time)));

        _time.Advance(MaxAge - Tick);
        Assert.True(cache.TryFind(_id, out var young) && cache.IsFresh(young));
        _time.Advance(Tick);
        Assert.True(cache.TryFind(_id, out var old) && !cache.IsFresh(old));
    }

    [Fact]
    public void Age_counts_from_when_the_store_was_asked_and_not_from_when_it_answered()
    {
        var cache = Cache();
        var asked = _time.GetTimestamp();
        _time.Advance(MaxAge);

        cache.Put(_id, Near(_time, _id, Snapshot(_time), asked));

        Assert.True(cache.TryFind(_id, out var near) && !cache.IsFresh(near));
    }

    [Fact]
    public void A_wall_clock_that_is_set_back_makes_nothing_young_again()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time)));

        _time.Advance(MaxAge);
        _time.Skew(TimeSpan.FromHours(-1));

        Assert.True(cache.TryFind(_id, out var near) && !cache.IsFresh(near));
    }

    [Theory]
    [InlineData(3, 60)]
    [InlineData(60, 3)]
    public void At_its_deadline_a_session_is_gone_from_memory_too(int idleSeconds, int absoluteSeconds)
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time, idle: TimeSpan.FromSeconds(idleSeconds), absolute: TimeSpan.FromSeconds(absoluteSeconds))));

        _time.Advance(TimeSpan.FromSeconds(3) - Tick);
        Assert.True(cache.TryFind(_id, out _));
        _time.Advance(Tick);

        Assert.False(cache.TryFind(_id, out _));
        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void A_touch_moves_the_idle_deadline_and_never_past_the_absolute_one()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time, idle: TimeSpan.FromMinutes(2), absolute: TimeSpan.FromMinutes(3))));
        _time.Advance(TimeSpan.FromMinutes(1));

        cache.Slide(Key, _time.GetUtcNow() + TimeSpan.FromSeconds(90));
        Assert.True(cache.TryFind(_id, out var touched));
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromSeconds(90), touched.Snapshot.IdleUntil);

        cache.Slide(Key, _time.GetUtcNow() + TimeSpan.FromMinutes(5));
        _time.Advance(TimeSpan.FromMinutes(2) - Tick);
        Assert.True(cache.TryFind(_id, out _));
        _time.Advance(Tick);
        Assert.False(cache.TryFind(_id, out _));
    }

    [Fact]
    public void A_touch_makes_nothing_younger_and_takes_nothing_back_from_a_later_write()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time)));
        var until = _time.GetUtcNow() + Idle;
        _time.Advance(MaxAge);

        cache.Slide(Key, until - TimeSpan.FromMinutes(1));

        Assert.True(cache.TryFind(_id, out var near));
        Assert.Equal((until, false), (near.Snapshot.IdleUntil, cache.IsFresh(near)));
    }

    [Fact]
    public void A_touch_of_a_session_that_is_not_remembered_remembers_nothing()
    {
        var cache = Cache();

        cache.Slide(Key, _time.GetUtcNow() + Idle);

        Assert.False(cache.TryFind(_id, out _));
    }

    [Fact]
    public void The_sessions_that_were_not_used_for_longest_make_room()
    {
        var ids = Enumerable.Range(0, 4).Select(_ => SessionId.Create()).ToArray();
        var one = BytesOf(ids[0]);
        var cache = Cache(maxBytes: 3 * one);
        Array.ForEach(ids[..3], id => cache.Put(id, Near(_time, id, Snapshot(_time))));
        Assert.Equal((3, 3 * one), (cache.Count, cache.Bytes));

        Assert.True(cache.TryFind(ids[0], out _));
        cache.Put(ids[3], Near(_time, ids[3], Snapshot(_time)));

        Assert.Equal([true, false, true, true], ids.Select(id => cache.TryFind(id, out _)));
        Assert.Equal((3, 3 * one), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void A_session_is_used_when_it_is_saved_as_much_as_when_it_is_found()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => SessionId.Create()).ToArray();
        var cache = Cache(maxBytes: 2 * BytesOf(ids[0]));
        cache.Put(ids[0], Near(_time, ids[0], Snapshot(_time)));
        cache.Put(ids[1], Near(_time, ids[1], Snapshot(_time)));

        cache.Put(ids[0], Near(_time, ids[0], Snapshot(_time, counter: 2)));
        cache.Put(ids[2], Near(_time, ids[2], Snapshot(_time)));

        Assert.Equal([true, false, true], ids.Select(id => cache.TryFind(id, out _)));
    }

    [Fact]
    public void Whatever_is_put_in_the_bytes_stay_below_the_bound()
    {
        const long Most = 64 * 1024;
        var cache = Cache(maxBytes: Most);
        var random = new Random(20260101);
        var ids = Enumerable.Range(0, 60).Select(_ => SessionId.Create()).ToArray();
        for (ulong i = 1; i < 2000; i++)
        {
            var id = ids[random.Next(ids.Length)];
            cache.Put(id, Near(_time, id, Snapshot(_time, counter: i, value: new byte[random.Next(8000)])));
            Assert.InRange(cache.Bytes, 1, Most);
        }

        Assert.InRange(cache.Count, 8, ids.Length - 1);
        Array.ForEach(ids, id => cache.Refuse(SessionKey.Of(id)));
        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void A_session_counts_with_its_keys_and_values()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time, value: new byte[100_000])));

        Assert.InRange(cache.Bytes, 100_000, 102_000);
    }

    [Fact]
    public void A_session_that_is_larger_than_all_the_room_is_not_remembered_and_neither_is_its_older_state()
    {
        var cache = Cache(maxBytes: 64 * 1024);
        cache.Put(_id, Near(_time, _id, Snapshot(_time)));

        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 2, value: new byte[64 * 1024])));

        Assert.False(cache.TryFind(_id, out _));
        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void Without_a_stated_bound_there_is_one_all_the_same()
    {
        var cache = Cache();
        var most = Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16, 1L << 30);
        var piece = new byte[most / 4];

        for (var i = 0; i < 6; i++)
        {
            // The same array each time: what is counted is what the sessions hold.
            var id = SessionId.Create();
            cache.Put(id, Near(_time, id, Snapshot(_time, value: piece)));
        }

        Assert.Equal(3, cache.Count);
    }

    [Fact]
    public void A_slow_read_does_not_hide_what_was_saved_meanwhile()
    {
        var cache = Cache();
        var asked = _time.GetTimestamp();
        _time.Advance(Tick);
        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 6)));

        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 5), asked));

        Assert.True(cache.TryFind(_id, out var near));
        Assert.Equal(6u, near.Snapshot.Version.Counter);
    }

    [Fact]
    public void A_slow_read_that_brings_a_later_version_is_taken_with_its_age()
    {
        var cache = Cache();
        var asked = _time.GetTimestamp();
        _time.Advance(Tick);
        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 6)));

        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 7), asked));

        Assert.True(cache.TryFind(_id, out var near));
        Assert.Equal((7u, asked), (near.Snapshot.Version.Counter, near.AsOf));
    }

    [Fact]
    public void A_store_that_has_gone_back_is_the_truth_when_it_was_asked_later()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 6)));
        _time.Advance(Tick);

        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 5)));

        Assert.True(cache.TryFind(_id, out var near));
        Assert.Equal(5u, near.Snapshot.Version.Counter);
    }

    [Fact]
    public void An_ending_refuses_what_is_remembered_and_what_is_still_under_way()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time)));
        var asked = _time.GetTimestamp();

        cache.Refuse(Key);
        Assert.False(cache.TryFind(_id, out _));
        cache.Put(_id, Near(_time, _id, Snapshot(_time), asked));
        Assert.False(cache.TryFind(_id, out _));
    }

    [Fact]
    public void A_renewal_refuses_older_generations_only_and_takes_the_new_one_at_once()
    {
        var cache = Cache();
        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 3, generation: 1)));
        var asked = _time.GetTimestamp();

        cache.Refuse(Key, generation: 2);

        Assert.False(cache.TryFind(_id, out _));
        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 4, generation: 1), asked));
        Assert.False(cache.TryFind(_id, out _));
        cache.Put(_id, Near(_time, _id, Snapshot(_time, counter: 4, generation: 2), asked));
        Assert.True(cache.TryFind(_id, out var renewed));
        cache.Refuse(Key, generation: 2);
        Assert.True(cache.TryFind(_id, out var still));
        Assert.Same(renewed, still);
    }

    [Fact]
    public void Announcements_that_overtake_each_other_leave_the_later_one_standing()
    {
        var cache = Cache();
        var asked = _time.GetTimestamp();

        cache.Refuse(Key, generation: 3);
        cache.Refuse(Key, generation: 2);
        cache.Put(_id, Near(_time, _id, Snapshot(_time, generation: 2), asked));
        Assert.False(cache.TryFind(_id, out _));

        cache.Refuse(Key);
        cache.Refuse(Key, generation: 4);
        cache.Put(_id, Near(_time, _id, Snapshot(_time, generation: 4), asked));
        Assert.False(cache.TryFind(_id, out _));
    }

    [Fact]
    public void What_the_store_says_after_a_refusal_counts()
    {
        // An announcement may come late, of a session that was begun anew or restored since.
        var cache = Cache();
        cache.Refuse(Key);
        _time.Advance(Tick);

        cache.Put(_id, Near(_time, _id, Snapshot(_time)));

        Assert.True(cache.TryFind(_id, out _));
    }

    [Fact]
    public void Refusals_are_forgotten_when_nothing_under_way_can_be_young_any_more()
    {
        var cache = Cache();
        var asked = _time.GetTimestamp();
        cache.Refuse(Key);
        _time.Advance(MaxAge);
        cache.Refuse(SessionKey.Of(SessionId.Create()));
        cache.Put(_id, Near(_time, _id, Snapshot(_time), asked));
        Assert.False(cache.TryFind(_id, out _));

        _time.Advance(Tick);
        cache.Refuse(SessionKey.Of(SessionId.Create()));
        cache.Put(_id, Near(_time, _id, Snapshot(_time), asked));

        Assert.True(cache.TryFind(_id, out var near) && !cache.IsFresh(near));
    }

    [Fact]
    public void Of_a_flood_of_announcements_the_latest_ten_thousand_are_kept()
    {
        var cache = Cache();
        var asked = _time.GetTimestamp();
        var first = SessionId.Create();
        cache.Refuse(SessionKey.Of(first));
        cache.Refuse(Key);
        for (var i = 0; i < 9_999; i++)
        {
            cache.Refuse(SessionKey.Of(SessionId.Create()));
        }

        cache.Put(first, Near(_time, first, Snapshot(_time), asked));
        cache.Put(_id, Near(_time, _id, Snapshot(_time), asked));

        Assert.Equal((true, false), (cache.TryFind(first, out _), cache.TryFind(_id, out _)));
    }

    [Fact]
    public void Switched_off_it_remembers_nothing()
    {
        var cache = new NearCache(Options(enabled: false), _time);

        cache.Put(_id, Near(_time, _id, Snapshot(_time)));
        cache.Refuse(Key);
        cache.Slide(Key, _time.GetUtcNow() + Idle);

        Assert.False(cache.TryFind(_id, out _));
        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
    }

    [Theory]
    [InlineData(5, 77, true)]
    [InlineData(6, 99, true)]
    [InlineData(5, 78, false)]
    [InlineData(4, 77, false)]
    public void It_satisfies_a_ticket_of_its_own_version_or_an_earlier_one_but_not_of_another_history(ulong held, ulong stamp, bool satisfies) =>
        Assert.Equal(satisfies, Near(_time, _id, Snapshot(_time, held, stamp: stamp)).Satisfies(Ticket(_time, _id, Version(5))));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void It_satisfies_no_ticket_of_another_generation(int generation) =>
        Assert.False(Near(_time, _id, Snapshot(_time, counter: 9, generation: 2)).Satisfies(Ticket(_time, _id, Version(5), generation)));

    [Fact]
    public async Task Many_at_once_keep_the_books_right_and_find_whole_sessions()
    {
        const long Most = 20_000;
        var cache = Cache(maxBytes: Most);
        var ids = Enumerable.Range(0, 40).Select(_ => SessionId.Create()).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            var random = new Random(worker);
            for (ulong i = 1; i < 4000; i++)
            {
                var at = random.Next(ids.Length);
                switch (random.Next(8))
                {
                    case 0:
                        cache.Refuse(SessionKey.Of(ids[at]), random.Next(2) == 0 ? int.MaxValue : (int)i);
                        break;
                    case 1:
                        cache.Slide(SessionKey.Of(ids[at]), _time.GetUtcNow() + Idle);
                        break;
                    case 2 or 3:
                        Assert.True(!cache.TryFind(ids[at], out var near) || (near.Key == SessionKey.Of(ids[at]) && near.Snapshot.Items["x"][0] == at));
                        break;
                    default:
                        _time.Advance(Tick);
                        cache.Put(ids[at], Near(_time, ids[at], Snapshot(_time, i, (int)i, value: [.. Enumerable.Repeat((byte)at, 1 + random.Next(900))])));
                        break;
                }
            }
        })));

        Assert.InRange(cache.Bytes, 1, Most);
        Array.ForEach(ids, id => cache.Refuse(SessionKey.Of(id)));
        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
    }

    private NearCache Cache(long? maxBytes = null) => new(Options(maxBytes), _time);

    private long BytesOf(SessionId id)
    {
        var cache = Cache();
        cache.Put(id, Near(_time, id, Snapshot(_time)));
        return cache.Bytes;
    }
}
