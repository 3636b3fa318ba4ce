using System.Globalization;
using Affinity.Backends;
using Affinity.Backends.Redis;
using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends;

[Collection("Redis backend")]
public sealed class RedisSessionCacheTests(RedisBackendServer server) : SessionCacheFacts(server);

[Collection("Garnet backend")]
public sealed class GarnetSessionCacheTests(GarnetBackendServer server) : SessionCacheFacts(server);

[Collection("Redis Cluster backend")]
public sealed class RedisClusterSessionCacheTests(RedisClusterBackend cluster) : SessionCacheFacts(cluster);

/// <summary>What may go over what in the cache. Nothing here waits.</summary>
public abstract class SessionCacheFacts : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly SessionKey _key = SessionKey.Of(SessionId.Create());
    private readonly Backend _backend;
    private readonly RedisOptions _options = new() { KeyPrefix = $"t{Guid.NewGuid():N}:" };
    private readonly RedisSessionCache _cache;

    private protected SessionCacheFacts(Backend backend) => (_backend, _cache) = (backend, new RedisSessionCache(backend.Connection, _options, TimeProvider.System));

    private string Name => $"{_options.KeyPrefix}c:{_key.Value}";

    /// <summary>With the first answer the moment is known.</summary>
    public async Task InitializeAsync() => await ReadAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task What_was_put_there_is_read_and_a_known_version_comes_without_its_payload()
    {
        var filled = Session(Line(1, 2), 7, 8);
        await FillAsync(filled with { Generation = 3, Remaining = TimeSpan.FromMinutes(5) });

        var held = await ReadAsync();
        Assert.Equal((CachedSessionKind.Copy, filled.Version, 3), (held.Kind, held.Session!.Version, held.Session.Generation));
        Assert.Equal([7, 8], held.Session.Payload.ToArray());
        Assert.Equal(filled.Writes, held.Session.Writes);
        Assert.InRange(held.Age, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.InRange(held.Session.Remaining, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
        Assert.InRange(held.Session.AbsoluteRemaining, TimeSpan.FromMinutes(59), Hour);
        var known = await ReadAsync(filled.Version);
        Assert.Equal((filled.Version, 0), (known.Session!.Version, known.Session.Payload.Length));
    }

    [Fact]
    public async Task An_older_version_never_goes_over_one_that_came_of_it()
    {
        var line = Line(1, 2, 3);
        await FillAsync(Session(line));
        await FillAsync(Session(line[..2]));
        await FillAsync(Session(line[..1]));

        Assert.Equal(line[2], await VersionAsync());
    }

    [Fact]
    public async Task A_version_that_is_too_far_behind_to_be_remembered_is_older_all_the_same()
    {
        var line = Line([.. Enumerable.Range(1, 40)]);
        await FillAsync(Session(line));
        await FillAsync(Session(line[..2]));
        Assert.Equal(line[^1], await VersionAsync());

        await _cache.DropAsync(_key, default);
        await FillAsync(Session(line[..2]));
        await FillAsync(Session(line));
        Assert.Equal(line[^1], await VersionAsync());
    }

    [Fact]
    public async Task No_version_goes_over_an_ending_however_new()
    {
        await FillAsync(Session(Line(1)));
        await _cache.EndAsync(_key, Hour, _cache.Now, default);
        var line = Line(1, 2, 3);
        await FillAsync(Session(line));
        await _cache.AdvanceAsync(_key, BackendHarness.Create(1), _cache.Now, default);
        await _cache.DoubtAsync(_key, line[2], default);
        await _cache.DropAsync(_key, default);

        Assert.Equal(CachedSession.Ended, await ReadAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Of_two_versions_that_came_of_different_histories_neither_stays(int ahead)
    {
        var first = new SessionVersion(1, 11);
        await FillAsync(Session([first, new(2, 21), new(3, 31)]));
        await FillAsync(Session([first, new(2, 22), .. ahead >= 0 ? [new SessionVersion(3, 32)] : Array.Empty<SessionVersion>(), .. ahead > 0 ? [new SessionVersion(4, 42)] : Array.Empty<SessionVersion>()]));

        Assert.Equal(CachedSessionKind.Absent, (await ReadAsync()).Kind);
    }

    [Fact]
    public async Task A_fill_that_names_what_it_replaces_may_go_back()
    {
        var line = Line(1, 2, 3);
        await FillAsync(Session(line));
        await FillAsync(Session(line[..1]), replaces: (await ReadAsync()).Mark);

        Assert.Equal(line[0], await VersionAsync());
    }

    [Fact]
    public async Task It_may_not_when_the_same_version_was_told_anew_since()
    {
        var line = Line(1, 2, 3);
        await FillAsync(Session(line));
        var seen = (await ReadAsync()).Mark;
        await FillAsync(Session(line)); // as after the database was given back what it had lost
        await FillAsync(Session(line[..1]), replaces: seen);

        Assert.Equal(line[2], await VersionAsync());
    }

    [Fact]
    public async Task A_write_makes_the_copy_that_it_stood_on_what_was_written_and_leaves_the_absolute_limit()
    {
        var line = Line(1);
        await FillAsync(Session(line) with { AbsoluteRemaining = TimeSpan.FromMinutes(90) });
        var write = BackendHarness.After(line[0], 5) with { Generation = 2, Idle = TimeSpan.FromMinutes(7) };
        await _cache.AdvanceAsync(_key, write, _cache.Now, default);

        var held = await ReadAsync();
        Assert.Equal((write.Next, 2), (held.Session!.Version, held.Session.Generation));
        Assert.Equal([5], held.Session.Payload.ToArray());
        Assert.Equal([line[0], write.Next], held.Session.Writes);
        Assert.InRange(held.Session.Remaining, TimeSpan.FromMinutes(6), TimeSpan.FromMinutes(7));
        Assert.InRange(held.Session.AbsoluteRemaining, TimeSpan.FromMinutes(89), TimeSpan.FromMinutes(90));
    }

    [Fact]
    public async Task A_copy_remembers_the_last_sixteen_writes_and_those_between()
    {
        var write = BackendHarness.Create(1);
        await _cache.AdvanceAsync(_key, write, _cache.Now, default);
        List<SessionVersion> writes = [write.Next];
        for (var i = 0; i < 20; i++)
        {
            write = BackendHarness.After(write.Next, 1);
            await _cache.AdvanceAsync(_key, write, _cache.Now, default);
            writes.Add(write.Next);
        }

        Assert.Equal(writes.TakeLast(SessionWrite.RememberedWrites), (await ReadAsync()).Session!.Writes);
        var healed = BackendHarness.After(write.Next, 2) with { Next = new SessionVersion(25, 5), Between = [new SessionVersion(23, 3), new SessionVersion(24, 4)] };
        await _cache.AdvanceAsync(_key, healed, _cache.Now, default);
        Assert.Equal([new SessionVersion(23, 3), new SessionVersion(24, 4), new SessionVersion(25, 5)], (await ReadAsync()).Session!.Writes.TakeLast(3));
    }

    [Fact]
    public async Task A_write_on_top_of_what_is_not_held_leaves_a_floor_that_only_it_or_later_ones_pass()
    {
        var line = Line(1, 2, 3, 4);
        await FillAsync(Session(line[..1]));
        await _cache.AdvanceAsync(_key, BackendHarness.After(line[1]) with { Next = line[2] }, _cache.Now, default);

        var floor = await ReadAsync();
        Assert.Equal((CachedSessionKind.Floor, line[2]), (floor.Kind, floor.Session!.Version));
        await FillAsync(Session(line[..2]));
        Assert.Equal(CachedSessionKind.Floor, (await ReadAsync()).Kind);
        await FillAsync(Session(line[..3]));
        Assert.Equal(line[2], await VersionAsync());
        await _cache.DropAsync(_key, default);
        await _cache.DoubtAsync(_key, line[2], default);
        await FillAsync(Session(line));
        Assert.Equal(line[3], await VersionAsync());
    }

    [Fact]
    public async Task A_late_word_of_an_earlier_write_changes_nothing()
    {
        var line = Line(1, 2, 3);
        await FillAsync(Session(line));
        await _cache.AdvanceAsync(_key, BackendHarness.After(line[0]) with { Next = line[1] }, _cache.Now, default);
        await _cache.DoubtAsync(_key, line[1], default);
        await _cache.AdvanceAsync(_key, BackendHarness.After(SessionVersion.None) with { Next = line[0] }, _cache.Now, default);

        Assert.Equal(line[2], await VersionAsync());
    }

    [Fact]
    public async Task A_copy_in_doubt_is_held_and_of_no_age_until_the_database_has_been_asked_again()
    {
        var line = Line(1, 2);
        var before = _cache.Now;
        await FillAsync(Session(line[..1]));
        await _cache.DoubtAsync(_key, line[1], default);
        await AssertDoubtedAsync(line[0]);
        await _cache.VouchAsync(_key, Session(line[..1]), before, default);
        await AssertDoubtedAsync(line[0]);
        await FillAsync(Session(line[..1]), asOf: before);
        await AssertDoubtedAsync(line[0]);
        await _cache.VouchAsync(_key, Session(line[..1]), before, default);
        await AssertDoubtedAsync(line[0]);

        await LaterAsync();
        await _cache.VouchAsync(_key, Session(line[..1]), _cache.Now, default);
        Assert.InRange((await ReadAsync()).Age, TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_write_that_stands_on_a_copy_in_doubt_settles_it()
    {
        var line = Line(1, 2);
        await FillAsync(Session(line[..1]));
        await _cache.DoubtAsync(_key, line[1], default);
        await LaterAsync();
        await _cache.AdvanceAsync(_key, BackendHarness.After(line[0], 5) with { Next = line[1] }, _cache.Now, default);

        var held = await ReadAsync();
        Assert.Equal(line[1], held.Session!.Version);
        Assert.InRange(held.Age, TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_copy_is_as_old_as_the_question_and_not_as_its_arrival()
    {
        await FillAsync(Session(Line(1)), asOf: _cache.Now - 10_000);
        Assert.InRange((await ReadAsync()).Age, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(40));

        await _cache.VouchAsync(_key, Session(Line(1)), _cache.Now - 3_000, default);
        Assert.InRange((await ReadAsync()).Age, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(9));
        await _cache.VouchAsync(_key, Session(Line(1)), _cache.Now - 60_000, default);
        Assert.InRange((await ReadAsync()).Age, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(9));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(60_000L)]
    public async Task Without_a_moment_or_with_one_that_is_still_to_come_nobody_knows_its_age(long ahead)
    {
        await FillAsync(Session(Line(1)), asOf: ahead == 0 ? 0 : _cache.Now + ahead);

        Assert.Equal(TimeSpan.MaxValue, (await ReadAsync()).Age);
    }

    [Fact]
    public async Task Limits_are_counted_from_the_question_too()
    {
        await FillAsync(Session(Line(1)) with { Remaining = TimeSpan.FromSeconds(9), AbsoluteRemaining = TimeSpan.FromSeconds(9) }, asOf: _cache.Now - 10_000);
        Assert.Equal(CachedSessionKind.Absent, (await ReadAsync()).Kind);

        await FillAsync(Session(Line(1)));
        await LaterAsync();
        await _cache.VouchAsync(_key, Session(Line(1)) with { Remaining = TimeSpan.FromMinutes(2) }, _cache.Now, default);
        Assert.InRange((await ReadAsync()).Session!.Remaining, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
        await _cache.TouchAsync(_key, TimeSpan.FromMinutes(4), default);
        Assert.InRange((await ReadAsync()).Session!.Remaining, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(4));
        await _cache.EndAsync(_key, TimeSpan.FromSeconds(9), _cache.Now - 10_000, default);
        Assert.Equal(CachedSessionKind.Absent, (await ReadAsync()).Kind);
    }

    [Fact]
    public async Task Nobody_vouches_for_another_version_than_the_one_that_is_held()
    {
        var line = Line(1, 2);
        await FillAsync(Session(line[..1]), asOf: _cache.Now - 10_000);
        await _cache.VouchAsync(_key, Session(line), _cache.Now, default);

        var held = await ReadAsync();
        Assert.Equal(line[0], held.Session!.Version);
        Assert.InRange(held.Age, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(40));
    }

    [Theory]
    [InlineData("v", "x")]
    [InlineData("s", "short")]
    [InlineData("k", "later")]
    [InlineData("h", null)]
    [InlineData("p", null)]
    public async Task A_damaged_copy_never_answers_and_is_written_over(string field, string? value)
    {
        var line = Line(1);
        await FillAsync(Session(line));
        var database = await _backend.Connection.GetDatabaseAsync(default);
        await (value is null ? database.HashDeleteAsync(Name, field) : database.HashSetAsync(Name, field, value));

        Assert.NotEqual(CachedSessionKind.Copy, (await ReadAsync()).Kind);
        await FillAsync(Session(line));
        Assert.Equal(line[0], await VersionAsync());
    }

    [Fact]
    public async Task A_foreign_value_under_the_name_is_a_refusal_and_not_an_absence_of_the_cache()
    {
        var database = await _backend.Connection.GetDatabaseAsync(default);
        await database.StringSetAsync(Name, "foreign", Hour);

        var fault = await Assert.ThrowsAsync<SessionCacheException>(() => ReadAsync());
        Assert.False(fault.IsAway);
        Assert.DoesNotContain(_key.Value, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_state_has_a_limit_so_that_nothing_stays_for_ever()
    {
        var database = await _backend.Connection.GetDatabaseAsync(default);
        await FillAsync(Session(Line(1)));
        Assert.NotNull(await database.KeyTimeToLiveAsync(Name));
        await _cache.DoubtAsync(_key, new SessionVersion(9, 9), default);
        Assert.NotNull(await database.KeyTimeToLiveAsync(Name));
        await _cache.EndAsync(_key, Hour, _cache.Now, default);
        Assert.NotNull(await database.KeyTimeToLiveAsync(Name));
    }

    private static SessionVersion[] Line(params int[] counters) =>
        [.. counters.Select(counter => new SessionVersion((ulong)counter, ulong.Parse($"{counter}7", CultureInfo.InvariantCulture)))];

    private static StoredSession Session(SessionVersion[] writes, params byte[] payload) =>
        new(writes[^1], 0, payload, Hour, Hour) { Writes = [.. writes.TakeLast(SessionWrite.RememberedWrites)] };

    private async Task FillAsync(StoredSession session, long? asOf = null, string? replaces = null) => await _cache.FillAsync(_key, session, asOf ?? _cache.Now, replaces, default);

    private async Task<CachedSession> ReadAsync(SessionVersion known = default) => await _cache.ReadAsync(_key, known, default);

    private async Task AssertDoubtedAsync(SessionVersion version)
    {
        var held = await ReadAsync();
        Assert.Equal((CachedSessionKind.Copy, version, TimeSpan.MaxValue), (held.Kind, held.Session!.Version, held.Age));
    }

    /// <summary>Until the moment has passed that it is now: the clock is known to a millisecond or two.</summary>
    private async Task LaterAsync()
    {
        for (var now = _cache.Now + 2; _cache.Now <= now;)
        {
            await ReadAsync();
        }
    }

    private async Task<SessionVersion> VersionAsync() => (await ReadAsync()).Session?.Version ?? default;
}
