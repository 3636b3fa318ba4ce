using System.Net;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.Journaling;
using Affinity.Tests.Sessions.NearCaching;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>The store keeps versions, the cookies the sessions.</summary>
public sealed class CookieFloorTests : IAsyncLifetime
{
    private readonly CookieFarm _farm = new();
    private readonly Visitor _visitor = new();
    private PipelineApp _one = null!;
    private PipelineApp _other = null!;

    public async Task InitializeAsync() => (_one, _other) = (await _farm.StartWithFloorAsync(), await _farm.StartWithFloorAsync());

    public Task DisposeAsync() => _farm.StopAsync();

    [Fact]
    public async Task A_cookie_older_than_the_newest_is_refused_and_cannot_put_itself_in_the_newests_place()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var thief = _visitor.Clone();
        await _visitor.PostedAsync(_other, "/set/x/2");
        Later();

        Assert.Equal(HttpStatusCode.NotFound, await thief.StatusOfGetAsync(_one, "/get/x"));
        Assert.Equal(HttpStatusCode.Conflict, await thief.StatusOfPostAsync(_other, "/set/x/3"));
        Assert.Empty(thief.LastSetCookies);
        Assert.Equal("2", await _visitor.ReadAsync(_one, "/get/x"));
        _farm.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("", await thief.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task A_session_that_was_ended_stays_ended_for_every_copy_of_its_cookie()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var thief = _visitor.Clone();
        await _visitor.PostedAsync(_other, "/sign-out");
        Later();

        foreach (var node in new[] { _one, _other })
        {
            Assert.Equal(HttpStatusCode.NotFound, await thief.StatusOfGetAsync(node, "/get/x"));
        }
    }

    [Fact]
    public async Task Of_two_parallel_changes_the_second_is_refused_and_the_first_is_kept()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var tab = _visitor.Clone();
        await _visitor.PostedAsync(_one, "/set/a/1");

        // The other node still remembers nothing, this tab came with the older ticket.
        Assert.Equal(HttpStatusCode.Conflict, await tab.StatusOfPostAsync(_other, "/set/b/1"));
        Assert.Empty(tab.LastSetCookies);
        Assert.Equal("a,x", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task What_a_node_remembers_of_a_version_answers_for_its_time_and_no_longer()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var reads = _one.Store.Reads;
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("Cookie NotAsked lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
        }

        Assert.Equal(reads, _one.Store.Reads);
        Later();
        Assert.Equal("Cookie Reachable lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
        Assert.Equal(reads + 1, _one.Store.Reads);
    }

    [Fact]
    public async Task The_store_holds_nothing_of_the_content()
    {
        await _visitor.PostedAsync(_one, "/set/basket/a-red-umbrella");
        var record = await _one.Store.ReadAsync(SessionKey.Of(_one.Held(_visitor).Session), default, default);
        Assert.InRange(record.Session!.Payload.Length, 1, 30);
        Assert.Equal(_one.Held(_visitor).Version, record.Session.Version);
    }

    [Fact]
    public async Task With_the_store_away_the_session_is_out_of_reach_and_the_cookie_stays()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var before = _visitor.Cookies[CookieFarm.Cookie];
        Later();
        _one.Store.Break();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfGetAsync(_one, "/get/x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(_one, "/set/x/2"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(_one, "/sign-out"));
        Assert.Equal(before, _visitor.Cookies[CookieFarm.Cookie]);
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
    }

    /// <summary>A floor that was raised by a write whose answer was lost would shut out the visitor, had they not got the new cookie.</summary>
    [Fact]
    public async Task A_write_of_unknown_outcome_leaves_the_visitor_with_the_newest_cookie_whether_it_arrived_or_not()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        _one.Store.AfterWrite = (_, _) => throw FaultyStore.Ambiguous();
        await _visitor.PostedAsync(_one, "/set/x/2");
        _one.Store.AfterWrite = (_, _) => ValueTask.CompletedTask;
        Later();
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));

        _one.Store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        await _visitor.PostedAsync(_one, "/set/x/3");
        _one.Store.Heal();
        Later();
        Assert.Equal("3", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4063);
    }

    [Fact]
    public async Task A_floor_that_the_store_has_lost_is_raised_again_by_the_next_cookie()
    {
        var (time, store, options) = (_farm.Time, new LossyStore(_farm.Time), NearSample.Options(enabled: false));
        var near = new NearCache(options, time);
        var floor = new SessionFloor(store, NearSample.Loader(store, near, options, time), near, options, time, TestMetrics.Create(), NullLogger<SessionFloor>.Instance);
        var (id, first, second, third) = (SessionId.Create(), NearSample.Snapshot(time), NearSample.Snapshot(time, counter: 2, stamp: 78), NearSample.Snapshot(time, counter: 3, stamp: 79));
        Assert.Null(await floor.RaiseAsync(id, SessionSnapshot.Empty(time.GetUtcNow(), options.AbsoluteTimeout), first));
        Assert.Null(await floor.RaiseAsync(id, first, second));
        Assert.Equal(SessionLoadKind.JustSuperseded, await KindAsync(first));

        store.LoseEverything();
        Assert.Equal(SessionLoadKind.Found, await KindAsync(second));
        Assert.Equal(SessionLoadKind.JustSuperseded, await KindAsync(first));
        Assert.Equal(SessionEnding.Superseded, await floor.RaiseAsync(id, first, NearSample.Snapshot(time, counter: 2, stamp: 99)));

        store.LoseEverything();
        Assert.Null(await floor.RaiseAsync(id, second, third));
        Assert.Equal(SessionLoadKind.Found, await KindAsync(third));
        await floor.EndAsync(id, default);
        Assert.Equal(SessionLoadKind.Ended, await KindAsync(third));
        Assert.Equal(SessionEnding.Abandoned, await floor.RaiseAsync(id, third, NearSample.Snapshot(time, counter: 4, stamp: 80)));

        async Task<SessionLoadKind> KindAsync(SessionSnapshot seen) =>
            (await floor.CheckAsync(NearSample.Ticket(time, id, seen.Version), new SessionLoadResult(SessionLoadKind.Found, seen), default)).Kind;
    }

    [Fact]
    public async Task A_cookie_that_is_not_the_newest_any_more_is_not_handed_out_again()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        _farm.Time.Advance(TimeSpan.FromMinutes(6));
        await _visitor.ReadAsync(_one, "/get/x");
        Assert.NotEmpty(_visitor.LastSetCookies);
        _farm.Time.Advance(TimeSpan.FromMinutes(6));
        var tab = _visitor.Clone();
        await tab.ReadAsync(_one, "/get/x");
        await tab.Clone().PostedAsync(_other, "/set/x/2");
        _farm.Time.Advance(TimeSpan.FromSeconds(1));

        // This node still remembers the version of this tab, and would slide it.
        await _visitor.ReadAsync(_one, "/untouched");
        Assert.Empty(_visitor.LastSetCookies);
    }

    private void Later() => _farm.Time.Advance(TimeSpan.FromSeconds(6));
}
