using System.Net;
using System.Security.Claims;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>Abandoning, renewing and beginning anew within one request, and after the session has changed under it.</summary>
public sealed class SessionEndingsTests
{
    private const string Cookie = "__Host-affinity";

    private readonly Visitor _visitor = new();

    [Fact]
    public async Task A_visitor_whose_session_is_due_for_a_touch_can_sign_out()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(TimeSpan.FromMinutes(10));

        using var response = await _visitor.PostAsync(app.Address, "/sign-out");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Null(_visitor.Cookies[Cookie]);
    }

    [Fact]
    public async Task A_visitor_whose_session_expired_can_sign_out()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(TimeSpan.FromMinutes(21));

        using var response = await _visitor.PostAsync(app.Address, "/sign-out");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Null(_visitor.Cookies[Cookie]);
    }

    [Fact]
    public async Task What_is_set_after_an_abandon_begins_a_session_with_another_id_and_without_the_old_content()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/old/1");
        var copy = _visitor.Clone();

        var ids = await (await _visitor.PostAsync(app.Address, "/abandon-and-set/new/2")).Content.ReadAsStringAsync();

        Assert.NotEqual(ids.Split(' ')[0], ids.Split(' ')[1]);
        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/get/new"));
        Assert.Equal(HttpStatusCode.NotFound, (await _visitor.GetAsync(app.Address, "/get/old")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await copy.GetAsync(app.Address, "/get/new")).StatusCode);
    }

    [Fact]
    public async Task A_session_that_began_and_was_abandoned_in_one_request_leaves_no_ticket()
    {
        await using var app = await StartAsync();

        await _visitor.PostAsync(app.Address, "/set-commit-abandon/x/1");

        Assert.Null(_visitor.Cookies[Cookie]);
    }

    [Fact]
    public async Task A_session_that_began_on_a_superseded_ticket_and_was_abandoned_in_one_request_leaves_no_ticket()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var stale = _visitor.Clone();
        await _visitor.PostAsync(app.Address, "/sign-in");
        app.Time.Advance(SessionLoader.StaleTicketGrace);

        await stale.PostAsync(app.Address, "/set-commit-abandon/x/1");

        Assert.Null(stale.Cookies[Cookie]);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task When_abandoning_fails_the_changes_of_the_request_are_not_dropped()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Store.BeforeWrite = (number, _) => number == 0 ? throw FaultyStore.Ambiguous() : ValueTask.CompletedTask; // only the deletion fails

        using var response = await _visitor.PostAsync(app.Address, "/set-and-try-to-abandon/x/2");

        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task A_renewed_and_then_abandoned_session_is_ended()
    {
        await using var app = await StartAsync(routes => routes.MapPost("/both", async (HttpContext context) =>
        {
            await context.Session.RegenerateAsync();
            await context.Session.AbandonAsync();
        }));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var copy = _visitor.Clone();

        await _visitor.PostAsync(app.Address, "/both");

        Assert.Null(_visitor.Cookies[Cookie]);
        Assert.Equal(HttpStatusCode.NotFound, (await copy.GetAsync(app.Address, "/get/x")).StatusCode);
        Assert.Equal(1, app.Store.Writes);
    }

    [Fact]
    public async Task Signing_in_twice_in_one_request_renews_once_and_keeps_pending_changes()
    {
        await using var app = await StartAsync(routes => routes.MapPost("/twice", async (HttpContext context) =>
        {
            context.Session.SetString("y", "2");
            await SignInAsync(context);
            await SignInAsync(context);
        }));
        await _visitor.PostAsync(app.Address, "/set/x/1");

        await _visitor.PostAsync(app.Address, "/twice");

        Assert.Equal(2, app.Store.Writes);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/get/y"));
    }

    [Fact]
    public async Task An_anonymous_visitor_with_pending_changes_can_sign_in()
    {
        await using var app = await StartAsync(routes => routes.MapPost("/set-and-sign-in", async (HttpContext context) =>
        {
            context.Session.SetString("y", "2");
            await SignInAsync(context);
        }));

        await _visitor.PostAsync(app.Address, "/set-and-sign-in");

        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/get/y"));
        Assert.Equal(1, app.Store.Writes);
    }

    [Fact]
    public async Task On_demand_signing_in_renews_a_session_that_was_not_loaded()
    {
        await using var app = await StartAsync(configure: o => o.Sessions.Load = SessionLoad.OnDemand);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var attacker = _visitor.Clone();

        await _visitor.PostAsync(app.Address, "/sign-in");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/loaded/x"));
        Assert.Equal("nothing", await attacker.GetStringAsync(app.Address, "/loaded/x"));
    }

    [Fact]
    public async Task A_visitor_who_hangs_up_while_signing_out_is_signed_out()
    {
        var (deleting, gone) = (new TaskCompletionSource(), new TaskCompletionSource());
        var signedOut = new TaskCompletionSource<Exception?>();
        await using var app = await StartAsync(routes => routes.MapPost("/leave", async (HttpContext context) =>
        {
            context.RequestAborted.Register(gone.SetResult);
            signedOut.SetResult(await Record.ExceptionAsync(() => context.SignOutAsync()));
        }));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var copy = _visitor.Clone();
        app.Store.BeforeWrite = async (_, token) =>
        {
            deleting.TrySetResult();
            await gone.Task;
            token.ThrowIfCancellationRequested();
        };
        using var hangUp = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.Address, "/leave"));
        var sending = _visitor.SendAsync(request, cancellation: hangUp.Token);
        await deleting.Task;

        await hangUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.Null(await signedOut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(HttpStatusCode.NotFound, (await copy.GetAsync(app.Address, "/get/x")).StatusCode);
    }

    [Fact]
    public async Task A_session_that_a_touch_cannot_prolong_is_not_touched()
    {
        await using var app = await StartAsync(configure: o => (o.Sessions.IdleTimeout, o.Sessions.AbsoluteTimeout) = (TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(25)));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(TimeSpan.FromMinutes(15));
        await _visitor.PostAsync(app.Address, "/set/x/2"); // ten minutes left until the absolute limit, and the idle limit ends with it

        for (var i = 0; i < 5; i++)
        {
            await _visitor.GetStringAsync(app.Address, "/get/x");
        }

        // The queue is worked off in order: when this later one has been touched, all before it have been.
        var other = new Visitor();
        await other.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(TimeSpan.FromMinutes(6));
        await other.GetStringAsync(app.Address, "/get/x");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (app.Store.Touches == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(1, app.Store.Touches);
    }

    private static Task SignInAsync(HttpContext context) => context.SignInAsync(
        new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "Ann")], CookieAuthenticationDefaults.AuthenticationScheme)));

    private static Task<PipelineApp> StartAsync(Action<WebApplication>? more = null, Action<AffinityOptions>? configure = null) => PipelineApp.StartAsync(
        app =>
        {
            app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) is { } value ? Results.Text(value) : Results.NotFound());
            app.MapGet("/loaded/{key}", async (HttpContext context, string key) =>
            {
                await context.Session.LoadAsync();
                return context.Session.GetString(key) ?? "nothing";
            });
            app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
            app.MapPost("/abandon-and-set/{key}/{value}", async (HttpContext context, string key, string value) =>
            {
                var before = context.Session.Id;
                await context.Session.AbandonAsync();
                context.Session.SetString(key, value);
                return $"{before} {context.Session.Id}";
            });
            app.MapPost("/set-commit-abandon/{key}/{value}", async (HttpContext context, string key, string value) =>
            {
                context.Session.SetString(key, value);
                await context.Session.CommitAsync();
                await context.Session.AbandonAsync();
            });
            app.MapPost("/set-and-try-to-abandon/{key}/{value}", async (HttpContext context, string key, string value) =>
            {
                context.Session.SetString(key, value);
                await Assert.ThrowsAsync<SessionUnavailableException>(() => context.Session.AbandonAsync());
            });
            app.MapPost("/sign-in", SignInAsync);
            app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
            more?.Invoke(app);
        },
        configure,
        builder => builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie());
}
