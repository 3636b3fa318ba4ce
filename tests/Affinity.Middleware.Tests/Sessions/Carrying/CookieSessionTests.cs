using System.Net;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.Journaling;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>A visitor of two nodes that share no store: the session is in the cookie.</summary>
public sealed class CookieSessionTests : IAsyncLifetime
{
    private readonly CookieFarm _farm = new();
    private readonly Visitor _visitor = new();
    private PipelineApp _one = null!;
    private PipelineApp _other = null!;

    public async Task InitializeAsync() => (_one, _other) = (await _farm.StartAsync(), await _farm.StartAsync());

    public Task DisposeAsync() => _farm.StopAsync();

    [Fact]
    public async Task What_one_node_has_saved_the_other_one_reads_and_no_store_is_asked()
    {
        _one.Store.Break();
        _other.Store.Break();
        await _visitor.PostedAsync(_one, "/set/x/1");
        await _visitor.PostedAsync(_other, "/set/y/2");
        await _visitor.PostedAsync(_one, "/remove/x");
        await _visitor.PostedAsync(_other, "/sign-in");
        await _visitor.PostedAsync(_one, "/add/n");

        Assert.Equal("n,y", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("2", await _visitor.ReadAsync(_one, "/get/y"));
        Assert.Equal("Cookie NotAsked lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
        await _visitor.PostedAsync(_other, "/sign-out");
        Assert.Null(_visitor.Cookies[CookieFarm.Cookie]);
        Assert.Equal((0, 0, 0), (_one.Store.Reads + _other.Store.Reads, _one.Store.Writes + _other.Store.Writes, _one.Store.Touches + _other.Store.Touches));
    }

    [Fact]
    public async Task A_request_that_changes_nothing_sets_no_cookie()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        await _visitor.ReadAsync(_other, "/get/x");
        Assert.Empty(_visitor.LastSetCookies);
        await new Visitor().ReadAsync(_other, "/untouched");
    }

    [Fact]
    public async Task The_cookie_shows_its_content_only_where_it_is_told_to_sign_alone()
    {
        var readable = await _farm.StartAsync(options => options.Sessions.Cookie.Protection = ContentProtection.Sign);
        foreach (var (node, shows) in new[] { (_one, false), (readable, true) })
        {
            var visitor = new Visitor();
            await visitor.PostedAsync(node, "/set/basket/a-red-umbrella");
            var bytes = Sample.Bytes(visitor.Cookies[CookieFarm.Cookie]!);
            Assert.Equal(shows, bytes.AsSpan().IndexOf("umbrella"u8) >= 0);
            Assert.Equal(shows, bytes.AsSpan().IndexOf("basket"u8) >= 0);
        }
    }

    [Fact]
    public async Task A_node_takes_what_is_protected_at_least_as_well_as_it_is_told_to_write()
    {
        var readable = await _farm.StartAsync(options => options.Sessions.Cookie.Protection = ContentProtection.Sign);
        await _visitor.PostedAsync(_one, "/set/x/1");
        Assert.Equal("1", await _visitor.ReadAsync(readable, "/get/x"));
        await _visitor.PostedAsync(readable, "/set/y/2");

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_one, "/get/x"));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4060);
    }

    [Fact]
    public async Task Compressed_content_is_shorter_and_comes_back()
    {
        var packs = await _farm.StartAsync(options => (options.Sessions.Cookie.Protection, options.Sessions.Cookie.Compress) = (ContentProtection.Sign, true));
        await _visitor.PostedAsync(packs, "/big/x/30000");
        await _visitor.PostedAsync(packs, "/set/y/2");

        Assert.Equal("x,y", await _visitor.ReadAsync(packs, "/keys"));
        Assert.InRange(_visitor.Cookies[CookieFarm.Cookie]!.Length, 150, 500);
    }

    [Fact]
    public async Task What_has_no_room_is_an_error_before_the_first_byte_that_names_the_largest_keys_and_the_old_session_stays()
    {
        string? told = null;
        var node = await _farm.StartAsync(map: app => app.MapPost("/try/{bytes:int}", async (HttpContext context, int bytes) =>
        {
            context.Session.Set("huge", new byte[bytes]);
            var e = await Assert.ThrowsAsync<SessionTooLargeException>(() => context.Session.CommitAsync());
            told = e.Message;
            throw e;
        }));
        await _visitor.PostedAsync(node, "/set/x/1");
        var before = _visitor.Cookies[CookieFarm.Cookie];

        Assert.Equal(HttpStatusCode.InternalServerError, await _visitor.StatusOfPostAsync(node, "/big/huge/3000"));
        Assert.Empty(_visitor.LastSetCookies);
        Assert.Equal(HttpStatusCode.InternalServerError, await _visitor.StatusOfPostAsync(node, "/try/3000"));
        Assert.Empty(_visitor.LastSetCookies);

        Assert.Equal(before, _visitor.Cookies[CookieFarm.Cookie]);
        Assert.Equal("x", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4013);
        Assert.Contains("'huge' (3010 bytes)", told, StringComparison.Ordinal);
        Assert.Contains("Affinity:Ticket:MaxBytes", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_ticket_is_longer_than_its_room_and_the_largest_session_that_fits_is_kept()
    {
        var bytes = 2000;
        while (await _visitor.StatusOfPostAsync(_one, $"/big/x/{bytes}") == HttpStatusCode.OK)
        {
            Assert.InRange(CookieFarm.Cookie.Length + 1 + _visitor.Cookies[CookieFarm.Cookie]!.Length, 0, 3400);
            bytes += 16;
        }

        Assert.InRange(bytes, 2100, 2400);
        Assert.Equal("x", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task The_decoded_size_is_bounded_too()
    {
        var node = await _farm.StartAsync(options => (options.Sessions.MaxBytes, options.Sessions.Cookie.Protection, options.Sessions.Cookie.Compress) = (1024, ContentProtection.Sign, true));
        Assert.Equal(HttpStatusCode.InternalServerError, await _visitor.StatusOfPostAsync(node, "/big/x/1100"));
        Assert.Equal(HttpStatusCode.OK, await _visitor.StatusOfPostAsync(node, "/big/x/900"));
    }

    [Fact]
    public async Task A_large_session_is_spread_over_cookies_which_go_when_it_shrinks_and_when_it_ends()
    {
        var (one, other) = (await _farm.StartAsync(Large), await _farm.StartAsync(Large));
        await _visitor.PostedAsync(one, "/big/x/9000");
        Assert.Equal(4, Names().Length);
        await _visitor.PostedAsync(other, "/set/y/1");
        Assert.Equal(4, Names().Length);
        Assert.Equal("x,y", await _visitor.ReadAsync(one, "/keys"));

        await _visitor.PostedAsync(other, "/big/x/4000");
        Assert.Equal([CookieFarm.Cookie, CookieFarm.Cookie + "-2"], Names());
        await _visitor.PostedAsync(one, "/remove/x");
        Assert.Equal([CookieFarm.Cookie], Names());
        Assert.Equal("y", await _visitor.ReadAsync(other, "/keys"));

        await _visitor.PostedAsync(one, "/big/x/9000");
        await _visitor.PostedAsync(other, "/abandon");
        Assert.Empty(Names());
        Assert.Equal(HttpStatusCode.InternalServerError, await _visitor.StatusOfPostAsync(one, "/big/x/12000"));
        Assert.Empty(Names());

        static void Large(AffinityOptions options) => options.Ticket.MaxBytes = 16_000;

        string[] Names() => [.. _visitor.Cookies.All().Select(cookie => cookie.Name).Where(name => name.StartsWith(CookieFarm.Cookie, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Of_two_parallel_responses_the_one_that_the_browser_stores_last_counts_and_never_a_mixture()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var tab = _visitor.Clone();
        await _visitor.PostedAsync(_one, "/set/a/1");
        await tab.PostedAsync(_other, "/set/b/1");

        Assert.Equal("a,x", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("b,x", await tab.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task Half_of_each_of_two_parallel_responses_is_refused_as_a_whole_and_the_visitor_begins_anew()
    {
        var node = await _farm.StartAsync(options => options.Ticket.MaxBytes = 16_000);
        await _visitor.PostedAsync(node, "/big/x/5000");
        var tab = _visitor.Clone();
        await _visitor.PostedAsync(node, "/set/a/1");
        await tab.PostedAsync(node, "/set/b/1");

        // The browser took the first cookie of one response and the second of the other.
        _visitor.Cookies.Put(tab.Cookies.All().Single(cookie => cookie.Name == CookieFarm.Cookie + "-2"));

        Assert.Equal("", await _visitor.ReadAsync(node, "/keys"));
        Assert.Empty(_visitor.LastSetCookies);
        await _visitor.PostedAsync(node, "/set/c/1");
        Assert.Equal("c", await _visitor.ReadAsync(node, "/keys"));
    }

    [Fact]
    public async Task A_session_that_nobody_uses_ends_at_the_moment_that_its_ticket_says()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        _farm.Time.Advance(TimeSpan.FromMinutes(20) - TimeSpan.FromTicks(1));
        Assert.Equal("1", await _visitor.Clone().ReadAsync(_other, "/get/x"));
        _farm.Time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_other, "/get/x"));
        await _visitor.PostedAsync(_other, "/set/y/1");
        Assert.Equal("y", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task A_session_that_is_only_read_is_slid_by_a_new_ticket_when_the_fraction_of_its_idle_time_has_passed()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var first = _one.Held(_visitor);
        _farm.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        await _visitor.ReadAsync(_other, "/untouched");
        Assert.Empty(_visitor.LastSetCookies);

        _farm.Time.Advance(TimeSpan.FromTicks(1));
        await _visitor.ReadAsync(_other, "/untouched");
        var slid = _one.Held(_visitor);
        Assert.Equal(first with { Issued = slid.Issued, IdleUntil = first.IdleUntil.AddMinutes(5), Content = slid.Content }, slid);
        Assert.Equal(first.Content, slid.Content);
        Assert.Equal("no-store", (await _visitor.GetAsync(_one.Address, "/untouched")).Headers.CacheControl?.ToString() ?? "no-store");

        _farm.Time.Advance(TimeSpan.FromMinutes(19));
        Assert.Equal("1", await _visitor.ReadAsync(_one, "/get/x"));
    }

    [Fact]
    public async Task A_session_ends_at_its_absolute_limit_however_busy()
    {
        var node = await _farm.StartAsync(options => options.Sessions.AbsoluteTimeout = TimeSpan.FromHours(1));
        await _visitor.PostedAsync(node, "/set/x/1");
        for (var quarter = 1; quarter <= 3; quarter++)
        {
            _farm.Time.Advance(TimeSpan.FromMinutes(15));
            await _visitor.PostedAsync(node, "/set/x/1");
        }

        _farm.Time.Advance(TimeSpan.FromMinutes(15) - TimeSpan.FromTicks(1));
        Assert.Equal("1", await _visitor.ReadAsync(node, "/get/x"));
        _farm.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(node, "/get/x"));
    }

    /// <summary>What cannot be promised without a floor, so that the documents say no less than the truth.</summary>
    [Fact]
    public async Task A_copied_cookie_counts_until_its_idle_time_ends_also_after_a_sign_out()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        var thief = _visitor.Clone();
        await _visitor.PostedAsync(_one, "/set/x/2");
        await _visitor.PostedAsync(_one, "/sign-out");

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_other, "/get/x"));
        Assert.Equal("1", await thief.Clone().ReadAsync(_other, "/get/x"));
        _farm.Time.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(HttpStatusCode.NotFound, await thief.StatusOfGetAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task Signing_in_raises_the_generation_and_keeps_the_basket_and_a_planted_cookie_sees_nothing_of_it()
    {
        await _visitor.PostedAsync(_one, "/set/basket/1");
        var planter = _visitor.Clone();
        await _visitor.PostedAsync(_other, "/sign-in");
        await _visitor.PostedAsync(_one, "/set/secret/1");

        Assert.Equal(1, _one.Held(_visitor).Generation);
        Assert.Equal("basket,secret", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("basket", await planter.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task A_handler_that_throws_saves_nothing()
    {
        await _visitor.PostedAsync(_one, "/set/x/1");
        Assert.Equal(HttpStatusCode.InternalServerError, await _visitor.StatusOfPostAsync(_one, "/throw/x/2"));
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task Two_commits_of_one_request_leave_the_later_state()
    {
        using var response = await _visitor.PostAsync(_one.Address, "/commit-twice/x");
        Assert.Equal("2 New NotAsked lost:False available:True", await response.Content.ReadAsStringAsync());
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Equal(2UL, _one.Held(_visitor).Version.Counter);
    }

    [Fact]
    public async Task On_demand_a_change_without_a_load_keeps_the_rest()
    {
        var lazy = await _farm.StartAsync(options => options.Sessions.Load = SessionLoad.OnDemand);
        await _visitor.PostedAsync(_one, "/set/x/1");
        await _visitor.PostedAsync(lazy, "/set/y/1");
        Assert.Equal("x,y", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task A_node_that_lacks_the_key_leaves_the_cookie_as_it_is_and_says_503_to_who_needs_the_session()
    {
        var stranger = await _farm.StartAsync(protection: new EphemeralDataProtectionProvider());
        await _visitor.PostedAsync(_one, "/set/x/1");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfGetAsync(stranger, "/get/x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(stranger, "/set/x/2"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(stranger, "/abandon"));
        Assert.Empty(_visitor.LastSetCookies);
        Assert.Equal("ok", await _visitor.ReadAsync(stranger, "/untouched"));
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4061);
    }

    [Fact]
    public async Task A_change_of_the_carrier_ends_sessions_in_both_directions_and_asks_no_store_for_what_never_lay_there()
    {
        var stores = await _farm.StartWithStoreAsync();
        var other = new Visitor();
        await _visitor.PostedAsync(stores, "/set/x/1");
        await other.PostedAsync(_one, "/set/x/1");
        var reads = stores.Store.Reads;

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_one, "/get/x"));
        Assert.Equal("None NotAsked lost:False available:True", await other.ReadAsync(stores, "/told"));
        Assert.Equal(reads, stores.Store.Reads);
        await other.PostedAsync(stores, "/set/y/1");
        Assert.Equal("y", await other.ReadAsync(stores, "/keys"));
    }

    [Fact]
    public void The_start_says_what_is_shared_and_nothing_of_one_instance_only()
    {
        Assert.DoesNotContain(_farm.Log.Entries, entry => entry.Event.Id == 6000);
        var told = _farm.Log.Entries.First(entry => entry.Event.Id == 6003).Message;
        Assert.Contains("Affinity:Secrets", told, StringComparison.Ordinal);
        Assert.Contains("until its idle time ends", told, StringComparison.Ordinal);
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 6004);
    }
}
