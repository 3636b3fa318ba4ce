using System.Net;
using System.Text;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>A visitor of two nodes, and a store that is away from one of them or from both.</summary>
public sealed class JournalPipelineTests : IAsyncLifetime
{
    private readonly JournalFarm _farm = new();
    private readonly Visitor _visitor = new();
    private PipelineApp _one = null!;
    private PipelineApp _other = null!;

    public async Task InitializeAsync() => (_one, _other) = (await _farm.StartAsync(), await _farm.StartAsync());

    public Task DisposeAsync() => _farm.StopAsync();

    [Fact]
    public async Task What_the_store_cannot_be_told_rides_in_the_ticket_and_is_read_on_the_other_node()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        await PostAsync(_one, "/set/y/1");
        Assert.Equal("2", await _visitor.ReadAsync(_one, "/get/x"));
        Assert.Equal("Journal Unreachable lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
        Heal();

        Assert.Equal("x,y", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Equal("NearCache NotAsked lost:False available:True", await _visitor.ReadAsync(_other, "/told"));
    }

    [Fact]
    public async Task A_request_that_changes_nothing_hands_out_a_ticket_without_the_journal_that_it_has_told_the_store()
    {
        await PostAsync(_one, "/set/x/1");
        var plain = _visitor.Cookies[JournalFarm.Cookie]!.Length;
        Break();
        await PostAsync(_one, "/set/x/2");
        Assert.True(_visitor.Cookies[JournalFarm.Cookie]!.Length > plain);
        Heal();

        await _visitor.ReadAsync(_other, "/untouched");

        Assert.Equal(plain, _visitor.Cookies[JournalFarm.Cookie]!.Length);
        Assert.Single(_visitor.LastSetCookies, line => line.StartsWith(JournalFarm.Cookie, StringComparison.Ordinal));
        await _visitor.ReadAsync(_other, "/untouched");
        Assert.Empty(_visitor.LastSetCookies);
    }

    /// <summary>What others had beaten 64 times was taken for what a store that is away could not be told, and of a thousand updates 66 were overwritten.</summary>
    [Fact]
    public async Task A_save_that_others_beat_until_its_time_is_over_is_refused_and_not_journaled()
    {
        var node = await _farm.StartAsync(Patient);
        await PostAsync(node, "/set/x/1");
        var cookie = _visitor.Cookies[JournalFarm.Cookie];
        BeatAlways(node, _visitor.Clone(), within: TimeSpan.FromSeconds(3));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PassAsync(_visitor.PostAsync(node.Address, "/set/x/2")));

        Assert.Equal(cookie, _visitor.Cookies[JournalFarm.Cookie]);
        Assert.DoesNotContain(_farm.Log.Events, name => name is "SessionJournalBegun" or "SessionSaveFailed");
        _farm.Heal(node);
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task A_journal_that_others_beat_until_the_time_is_over_stays_in_the_ticket_and_nothing_is_served_without_it()
    {
        var node = await _farm.StartAsync(Patient);
        await PostAsync(node, "/set/x/1");
        var twin = _visitor.Clone();
        node.Store.Break();
        await PostAsync(node, "/set/x/2");
        var cookie = _visitor.Cookies[JournalFarm.Cookie];
        _farm.Heal(node);
        BeatAlways(node, twin, within: TimeSpan.FromSeconds(9));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PassAsync(_visitor.GetAsync(node.Address, "/get/x")));

        Assert.Equal(cookie, _visitor.Cookies[JournalFarm.Cookie]);
        _farm.Heal(node);
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task The_cookie_shows_nothing_of_what_it_carries()
    {
        Break();
        await PostAsync(_one, "/set/basket/a-red-umbrella");

        var bytes = Sample.Bytes(_visitor.Cookies[JournalFarm.Cookie]!);

        Assert.True(bytes.Length > 200);
        foreach (var plain in new[] { "basket", "umbrella" })
        {
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(plain)));
        }
    }

    [Fact]
    public async Task A_new_visitor_begins_a_session_that_is_in_the_ticket_alone_until_the_store_is_back()
    {
        Break();
        await PostAsync(_one, "/set/x/1");
        await PostAsync(_other, "/set/y/2");
        Assert.Equal("x,y", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_other, "/get/z"));
        Assert.Equal("Journal Unreachable lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
        Heal();

        Assert.Equal("x,y", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("NearCache NotAsked lost:False available:True", await _visitor.ReadAsync(_other, "/told"));
    }

    [Fact]
    public async Task Whoever_begins_a_session_when_the_store_is_known_to_be_silent_is_journaled_without_asking_it()
    {
        Break();
        _one.Services.GetRequiredService<StoreSilence>().Begin();

        Assert.Equal(HttpStatusCode.OK, await _visitor.StatusOfPostAsync(_one, "/set/x/1"));

        Assert.Equal(0, _one.Store.Writes);
        Assert.Equal("x", await _visitor.ReadAsync(_other, "/keys"));
        Heal();
        Assert.Equal("x", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task What_has_no_room_is_a_503_and_what_was_answered_before_is_kept()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        var before = _visitor.Cookies[JournalFarm.Cookie];

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(_one, "/big/y/3000"));

        Assert.Empty(_visitor.LastSetCookies);
        Assert.Equal(before, _visitor.Cookies[JournalFarm.Cookie]);
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4052);
        await PostAsync(_one, "/set/z/3");
        Heal();
        Assert.Equal("x,z", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task No_ticket_is_longer_than_its_room_however_many_changes_there_are()
    {
        Break();
        var answered = 0;
        for (var i = 0; i < 60; i++)
        {
            answered += await _visitor.StatusOfPostAsync(_one, $"/big/key{i}/60") == HttpStatusCode.OK ? 1 : 0;
            Assert.InRange(JournalFarm.Cookie.Length + 1 + (_visitor.Cookies[JournalFarm.Cookie]?.Length ?? 0), 0, new AffinityOptions().Ticket.MaxBytes);
        }

        Assert.InRange(answered, 20, 40);
        Heal();
        Assert.Equal(answered, (await _visitor.ReadAsync(_other, "/keys")).Split(',').Length);
    }

    [Fact]
    public async Task A_handler_that_throws_adds_nothing_and_takes_nothing()
    {
        Break();
        await PostAsync(_one, "/set/x/1");
        var before = _visitor.Cookies[JournalFarm.Cookie];

        Assert.Equal(HttpStatusCode.InternalServerError, await _visitor.StatusOfPostAsync(_one, "/throw/x/2"));

        Assert.Equal(before, _visitor.Cookies[JournalFarm.Cookie]);
        Heal();
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task Without_a_copy_only_what_the_journal_decides_is_read_and_a_basket_never_looks_empty()
    {
        await PostAsync(_one, "/set/basket/full");
        await PostAsync(_one, "/set/gone/1");
        Break();
        await PostAsync(_other, "/set/x/1");
        await PostAsync(_other, "/remove/gone");

        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_other, "/get/gone"));
        Assert.Equal("None Unreachable lost:False available:False", await _visitor.ReadAsync(_other, "/told"));
        Assert.Equal("ok", await _visitor.ReadAsync(_other, "/untouched"));
        foreach (var path in new[] { "/get/basket", "/keys" })
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfGetAsync(_other, path));
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(_other, "/add/n"));
        Heal();
        Assert.Equal("basket,x", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task After_a_clear_the_journal_is_all_there_is()
    {
        await PostAsync(_one, "/set/basket/full");
        Break();
        await PostAsync(_other, "/clear");
        await PostAsync(_other, "/set/x/1");

        Assert.Equal("x", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("1", (await (await _visitor.PostAsync(_other.Address, "/add/n")).Content.ReadAsStringAsync()));
        Heal();
        Assert.Equal("n,x", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task What_a_node_remembers_is_served_whatever_its_age_until_the_session_ends()
    {
        await PostAsync(_one, "/set/x/1");
        _one.Store.Break();
        _farm.Time.Advance(TimeSpan.FromMinutes(20) - TimeSpan.FromMilliseconds(1));

        Assert.Equal("1", await _visitor.ReadAsync(_one, "/get/x"));
        Assert.Equal("NearCache Unreachable lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
        _farm.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfGetAsync(_one, "/get/x"));
    }

    [Fact]
    public async Task A_journal_merges_with_what_was_saved_by_others_meanwhile()
    {
        await PostAsync(_one, "/set/x/1");
        var tab = _visitor.Clone();
        _one.Store.Break();
        await PostAsync(_one, "/set/x/2");
        await tab.PostAsync(_other.Address, "/set/y/1");
        Heal();

        Assert.Equal("x,y", await _visitor.ReadAsync(_one, "/keys"));
        Assert.Equal("2", await tab.ReadAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task A_change_that_had_arrived_is_not_made_again_over_what_was_saved_since()
    {
        await PostAsync(_one, "/set/x/1");
        _one.Store.AfterWrite = (_, _) => throw FaultyStore.Ambiguous();
        await PostAsync(_one, "/set/x/2");
        var tab = _visitor.Clone();
        Heal();
        await tab.PostAsync(_other.Address, "/set/x/3");

        Assert.Equal("3", await _visitor.ReadAsync(_one, "/get/x"));
    }

    [Fact]
    public async Task An_update_that_had_arrived_counts_once()
    {
        await PostAsync(_one, "/add/n");
        _one.Store.AfterWrite = (_, _) => throw FaultyStore.Ambiguous();
        await PostAsync(_one, "/add/n");
        _one.Store.Break();
        await PostAsync(_one, "/add/n");
        Heal();

        Assert.Equal("3", await _visitor.ReadAsync(_other, "/get/n"));
    }

    [Fact]
    public async Task Two_nodes_that_replay_one_journal_at_once_make_its_changes_once()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        var (tab, late) = (_visitor.Clone(), _visitor.Clone());
        Heal();

        await Task.WhenAll(PostAsync(_one, "/set/a/1"), tab.PostAsync(_other.Address, "/set/b/1"));
        await PostAsync(_other, "/set/x/9");
        _farm.Time.Advance(TimeSpan.FromSeconds(6)); // what a node remembers may be older than what others have saved

        Assert.Equal("9", await late.ReadAsync(_one, "/get/x"));
        Assert.Equal("a,b,x", await late.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task Of_two_tabs_whose_tickets_overwrite_each_other_neither_loses_anything()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        var tab = _visitor.Clone();
        await PostAsync(_one, "/set/a/1");
        await tab.PostAsync(_one.Address, "/set/b/1");
        Heal();

        // The browser kept the second one's ticket.
        Assert.Equal("a,b,x", await tab.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task Updates_at_once_on_one_node_add_up_while_the_store_is_away()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var node = await _farm.StartAsync(map: app => app.MapPost("/add-late/{key}", async (HttpContext context, string key) =>
        {
            context.Session.Update<int>(key, old => old + 1);
            entered.SetResult();
            await go.Task;
        }));
        await PostAsync(node, "/add/n");
        node.Store.Break();
        var late = _visitor.Clone().StatusOfPostAsync(node, "/add-late/n");
        await entered.Task;
        await PostAsync(node, "/add/n");
        await PostAsync(node, "/add/n");
        go.SetResult();
        Assert.Equal(HttpStatusCode.OK, await late);
        _farm.Heal(node);

        Assert.Equal("4", await _visitor.ReadAsync(node, "/get/n"));
        Assert.Equal("4", await _visitor.ReadAsync(_other, "/get/n"));
    }

    [Fact]
    public async Task What_a_lost_ticket_carried_is_told_to_the_store_when_the_visitor_comes_back_to_the_node()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        var tab = _visitor.Clone();
        await PostAsync(_one, "/set/a/1");
        Heal();

        // The browser kept the ticket from before.
        Assert.Equal("a,x", await tab.ReadAsync(_one, "/keys"));
        Assert.Equal("a,x", await tab.ReadAsync(_other, "/keys"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(14)]
    public async Task What_another_node_has_told_the_store_is_neither_shown_nor_told_again_over_what_came_since(int changes)
    {
        await PostAsync(_one, "/set/x/0");
        Assert.Equal("0", await _visitor.ReadAsync(_other, "/get/x"));
        Break();
        for (var change = 1; change <= changes; change++)
        {
            await PostAsync(change % 2 == 0 ? _one : _other, $"/set/{(change % 3 == 0 ? "y" : "x" + change)}/{change}");
        }

        await PostAsync(_other, "/set/x/1");
        await PostAsync(_one, "/set/z/1");
        _farm.Heal(_one);
        await PostAsync(_one, "/set/x/2");
        _other.Store.BeforeRead = _ => ValueTask.CompletedTask;

        // It reads, and cannot write: what it kept cannot be told, and is older than what the visitor has seen since.
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));
        Heal();

        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Equal("2", await _visitor.ReadAsync(_one, "/get/x"));
        Assert.EndsWith("lost:False available:True", await _visitor.ReadAsync(_other, "/told"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_journal_of_a_session_that_was_ended_is_dropped()
    {
        await PostAsync(_one, "/set/x/1");
        var tab = _visitor.Clone();
        _one.Store.Break();
        await PostAsync(_one, "/set/x/2");
        await tab.PostAsync(_other.Address, "/abandon");
        Heal();

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_one, "/get/x"));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4053);
        await PostAsync(_one, "/set/y/1");
        Assert.Equal("y", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task What_the_journal_holds_of_a_session_that_the_store_has_lost_is_saved_and_the_rest_is_told_as_lost()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_other, "/set/y/1");
        _farm.Time.Advance(TimeSpan.FromMinutes(19));
        await PostAsync(_other, "/set/z/1");
        Heal();
        _farm.Time.Advance(TimeSpan.FromMinutes(2)); // the store's idle time has run out, the visitor's has not

        Assert.Equal("Store Reachable lost:True available:True", await _visitor.ReadAsync(_other, "/told"));
        Assert.Equal("y,z", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task A_visitor_who_stays_away_for_the_idle_time_has_no_session_any_more_and_no_journal()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        Heal();
        _farm.Time.Advance(TimeSpan.FromMinutes(20));

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_one, "/get/x"));
        Assert.Equal("None Reachable lost:False available:True", await _visitor.ReadAsync(_one, "/told"));
    }

    [Fact]
    public async Task A_session_that_was_in_the_ticket_alone_ends_for_idleness_too()
    {
        Break();
        await PostAsync(_one, "/set/x/1");
        Heal();
        _farm.Time.Advance(TimeSpan.FromMinutes(20));

        Assert.Equal(HttpStatusCode.NotFound, await _visitor.StatusOfGetAsync(_other, "/get/x"));
    }

    [Fact]
    public async Task When_too_many_have_written_since_the_change_is_left_out_and_told()
    {
        await PostAsync(_one, "/set/x/1");
        var tab = _visitor.Clone();
        _one.Store.Break();
        await PostAsync(_one, "/set/x/2");
        for (var i = 0; i <= SessionWrite.RememberedWrites; i++)
        {
            await tab.PostAsync(_other.Address, "/add/n");
        }

        Heal();

        Assert.Equal("Store Reachable lost:True available:True", await _visitor.ReadAsync(_one, "/told"));
        Assert.Equal("1", await _visitor.ReadAsync(_one, "/get/x"));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4054);
    }

    [Fact]
    public async Task Signing_in_while_the_store_is_away_makes_older_tickets_worthless_when_it_is_back()
    {
        await PostAsync(_one, "/set/basket/1");
        var attacker = _visitor.Clone();
        Break();
        await PostAsync(_one, "/sign-in");
        await PostAsync(_one, "/set/secret/1");

        Assert.Equal("1", await _visitor.ReadAsync(_one, "/get/secret"));
        Assert.Equal(HttpStatusCode.NotFound, await attacker.StatusOfGetAsync(_one, "/get/secret"));
        Heal();
        Assert.Equal("basket,secret", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal(HttpStatusCode.NotFound, await attacker.StatusOfGetAsync(_other, "/get/basket"));
        Assert.Equal("basket,secret", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task An_older_ticket_cannot_journal_its_way_into_a_session_that_was_renewed()
    {
        await PostAsync(_one, "/set/basket/1");
        var attacker = _visitor.Clone();
        await PostAsync(_other, "/sign-in");
        await PostAsync(_other, "/set/secret/1");
        _one.Store.Break();
        await attacker.PostAsync(_one.Address, "/sign-in"); // raises the generation in the ticket to the one that the session has
        await attacker.PostAsync(_one.Address, "/set/mine/1");
        Heal();

        foreach (var node in new[] { _one, _other })
        {
            Assert.Equal(HttpStatusCode.NotFound, await attacker.StatusOfGetAsync(node, "/get/secret"));
        }

        Assert.Equal("basket,secret", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task A_sign_in_that_had_arrived_is_known_by_its_tag()
    {
        await PostAsync(_one, "/set/x/1");
        _one.Store.AfterWrite = (_, _) => throw FaultyStore.Ambiguous();
        await PostAsync(_one, "/sign-in");
        _one.Store.Break();
        await PostAsync(_one, "/set/y/1");
        Heal();

        Assert.Equal("x,y", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("x,y", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task Signing_out_while_the_store_is_away_is_an_error_and_not_a_pretence()
    {
        await PostAsync(_one, "/set/x/1");
        Break();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(_one, "/sign-out"));
        Assert.NotNull(_visitor.Cookies[JournalFarm.Cookie]);
    }

    [Fact]
    public async Task Told_to_fail_a_node_journals_nothing_but_tells_the_store_what_others_have_journaled()
    {
        var fails = await _farm.StartAsync(options => options.Sessions.OnStoreAway = StoreAway.Fail);
        await PostAsync(_one, "/set/x/1");
        Break();
        fails.Store.Break();
        await PostAsync(_one, "/set/x/2");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfGetAsync(fails, "/get/x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(fails, "/set/x/3"));
        _farm.Heal(_one, _other, fails);
        Assert.Equal("2", await _visitor.ReadAsync(fails, "/get/x"));
    }

    [Fact]
    public async Task Told_to_read_only_a_node_serves_what_it_remembers_and_refuses_changes()
    {
        var reads = await _farm.StartAsync(options => options.Sessions.OnStoreAway = StoreAway.ReadOnly);
        await PostAsync(reads, "/set/x/1");
        reads.Store.Break();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(reads, "/set/x/2"));
        _farm.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("1", await _visitor.ReadAsync(reads, "/get/x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(reads, "/set/x/2"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(reads, "/sign-in"));
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task A_node_that_lacks_the_key_of_a_journal_leaves_the_ticket_as_it_is()
    {
        var stranger = await _farm.StartAsync(protection: new EphemeralDataProtectionProvider());
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        Heal();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfGetAsync(stranger, "/get/x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(stranger, "/set/x/3"));
        Assert.Empty(_visitor.LastSetCookies);
        Assert.Equal("ok", await _visitor.ReadAsync(stranger, "/untouched"));
        Assert.Equal("2", await _visitor.ReadAsync(_one, "/get/x"));
    }

    [Fact]
    public async Task On_demand_a_change_without_a_load_is_journaled_too()
    {
        var lazy = await _farm.StartAsync(options => options.Sessions.Load = SessionLoad.OnDemand);
        await PostAsync(_one, "/set/x/1");
        Break();
        lazy.Store.Break();

        await PostAsync(lazy, "/set/y/1");
        await PostAsync(lazy, "/set/z/1");

        _farm.Heal(_one, _other, lazy);
        Assert.Equal("x,y,z", await _visitor.ReadAsync(_other, "/keys"));
    }

    [Fact]
    public async Task Two_commits_of_one_request_are_both_journaled_and_seen()
    {
        await PostAsync(_one, "/set/x/1");
        Break();

        using var response = await _visitor.PostAsync(_one.Address, "/commit-twice/y");

        Assert.Equal("2 Journal Unreachable lost:False available:True", await response.Content.ReadAsStringAsync());
        Heal();
        Assert.Equal("2", await _visitor.ReadAsync(_other, "/get/y"));
    }

    [Fact]
    public async Task An_outage_is_told_once_and_so_is_its_end()
    {
        await PostAsync(_one, "/set/x/1");
        for (var outage = 0; outage < 2; outage++)
        {
            _one.Store.Break();
            for (var i = 0; i < 3; i++)
            {
                await PostAsync(_one, "/set/x/" + i);
            }

            Heal();
            await _visitor.ReadAsync(_one, "/get/x");
        }

        Assert.Equal(2, _farm.Log.Entries.Count(entry => entry.Event.Id == 4050));
        Assert.Equal(2, _farm.Log.Entries.Count(entry => entry.Event.Id == 4051));
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4051 && entry.Message.Contains(" 3 changes", StringComparison.Ordinal));
        Assert.DoesNotContain(_farm.Log.Entries, entry => entry.Event.Id == 4010);
    }

    [Fact]
    public async Task Requests_at_once_with_one_journal_on_one_node_share_a_replay()
    {
        await PostAsync(_one, "/set/x/1");
        Break();
        await PostAsync(_one, "/set/x/2");
        Heal();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _one.Store.BeforeRead = async _ =>
        {
            entered.TrySetResult();
            await go.Task;
        };
        var writes = _one.Store.Writes;
        var first = _visitor.Clone().ReadAsync(_one, "/get/x");
        await entered.Task;
        var others = Enumerable.Range(0, 5).Select(_ => _visitor.Clone().ReadAsync(_one, "/get/x")).ToArray();
        go.SetResult();

        Assert.All(await Task.WhenAll([first, .. others]), value => Assert.Equal("2", value));
        Assert.InRange(_one.Store.Writes - writes, 1, 6);
    }

    private async Task PostAsync(PipelineApp node, string path) => Assert.Equal(HttpStatusCode.OK, await _visitor.StatusOfPostAsync(node, path));

    /// <summary>Its calls may take ten seconds, a save a hundred.</summary>
    private static void Patient(AffinityOptions options) => options.Sessions.StoreTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Another request of the visitor, on another node, is always first, and every trip takes this long.</summary>
    private void BeatAlways(PipelineApp node, Visitor twin, TimeSpan within)
    {
        node.Store.BeforeWrite = async (_, _) =>
        {
            (await twin.PostAsync(_other.Address, "/add/n")).EnsureSuccessStatusCode().Dispose();
            _farm.Time.Advance(within);
        };
    }

    /// <summary>Time goes on while the request rests.</summary>
    private async Task<HttpStatusCode> PassAsync(Task<HttpResponseMessage> request)
    {
        while (!request.IsCompleted)
        {
            _farm.Time.Advance(TimeSpan.FromMilliseconds(5));
            await Task.WhenAny(request, Task.Delay(1));
        }

        using var response = await request;
        return response.StatusCode;
    }

    private void Break()
    {
        _one.Store.Break();
        _other.Store.Break();
    }

    private void Heal() => _farm.Heal(_one, _other);
}
