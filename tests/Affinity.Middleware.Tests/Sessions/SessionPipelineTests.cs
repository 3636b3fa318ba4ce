using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions;

public sealed class SessionPipelineTests
{
    private const string Cookie = "__Host-affinity";

    private static readonly TimeSpan LongerThanRemembered = TimeSpan.FromSeconds(6);

    private readonly Visitor _visitor = new();

    [Fact]
    public async Task A_visitor_who_writes_nothing_costs_no_store_trip_and_gets_no_cookie()
    {
        await using var app = await StartAsync();

        using var response = await _visitor.GetAsync(app.Address, "/get/x");

        Assert.Equal((HttpStatusCode.NotFound, 0, 0), (response.StatusCode, app.Store.Reads, app.Store.Writes));
        Assert.Empty(_visitor.LastSetCookies);
        Assert.False(response.Headers.Contains("Vary"));
    }

    [Fact]
    public async Task The_first_write_begins_a_session_and_its_response_must_not_be_cached()
    {
        await using var app = await StartAsync();

        using var response = await _visitor.PostAsync(app.Address, "/set/x/1");

        Assert.Equal(2, _visitor.LastSetCookies.Count);
        Assert.StartsWith("AFF=", _visitor.LastSetCookies[0], StringComparison.Ordinal);
        var cookie = _visitor.LastSetCookies[1];
        Assert.StartsWith(Cookie + "=", cookie, StringComparison.Ordinal);
        Assert.EndsWith("; Path=/; Secure; HttpOnly; SameSite=Lax", cookie, StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Contains("Cookie", response.Headers.Vary);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        Assert.Equal((0, 1), (app.Store.Reads, app.Store.Writes));
    }

    [Theory]
    [InlineData("POST", "/set/x/1", 200)]
    [InlineData("POST", "/redirect/x/1", 302)]
    [InlineData("POST", "/nothing/x/1", 204)]
    [InlineData("POST", "/empty/x/1", 200)]
    [InlineData("POST", "/flush/x/1", 200)]
    [InlineData("POST", "/stream/x/1", 200)]
    [InlineData("HEAD", "/head/x/1", 200)]
    public async Task Whatever_way_a_response_starts_the_session_is_saved_before(string method, string path, int status)
    {
        await using var app = await StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(app.Address, path));

        using var response = await _visitor.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal((status, 1), ((int)response.StatusCode, app.Store.Writes));
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task A_WebSocket_upgrade_saves_before_the_handshake_is_answered()
    {
        await using var app = await StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;

        await socket.ConnectAsync(new UriBuilder(app.Address) { Scheme = "ws", Path = "/socket/x/1" }.Uri, CancellationToken.None);

        Assert.Equal(1, app.Store.Writes);
        Assert.Contains(socket.HttpResponseHeaders!["Set-Cookie"], value => value.StartsWith(Cookie, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Setting_a_value_after_the_response_has_started_throws_at_once()
    {
        await using var app = await StartAsync();

        Assert.Equal("InvalidOperationException", await _visitor.GetStringAsync(app.Address, "/late"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_that_throws_saves_nothing(bool exceptionHandler)
    {
        await using var app = await StartAsync(exceptionHandler: exceptionHandler);
        await _visitor.PostAsync(app.Address, "/set/x/1");

        using var response = await _visitor.PostAsync(app.Address, "/throw/x/2");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task A_visitor_who_hangs_up_does_not_stop_the_save()
    {
        var (entered, gone) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(routes => routes.MapPost("/hang-up", async (HttpContext context) =>
        {
            context.RequestAborted.Register(gone.SetResult);
            entered.SetResult();
            await gone.Task;
            context.Session.SetString("x", "2");
        }));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var saved = new TaskCompletionSource();
        app.Store.AfterWrite = (_, _) =>
        {
            saved.SetResult();
            return ValueTask.CompletedTask;
        };
        using var hangUp = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.Address, "/hang-up"));
        var sending = _visitor.SendAsync(request, cancellation: hangUp.Token);
        await entered.Task;

        await hangUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await saved.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task On_demand_an_untouched_session_costs_no_trip_and_reading_it_unloaded_says_how_to_load_it()
    {
        await using var app = await StartAsync(configure: o => (o.Sessions.Load, o.Sessions.NearCache.Enabled) = (SessionLoad.OnDemand, false));
        await _visitor.PostAsync(app.Address, "/set/x/1");

        await _visitor.GetStringAsync(app.Address, "/untouched");
        Assert.Equal(0, app.Store.Reads);
        Assert.Contains("await HttpContext.Session.LoadAsync()", await _visitor.GetStringAsync(app.Address, "/message-of/x"), StringComparison.Ordinal);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/loaded/x"));
        Assert.Equal(1, app.Store.Reads);
    }

    [Fact]
    public async Task On_demand_a_write_without_a_load_keeps_what_was_there()
    {
        await using var app = await StartAsync(configure: o => o.Sessions.Load = SessionLoad.OnDemand);
        await _visitor.PostAsync(app.Address, "/set/x/1");

        await _visitor.PostAsync(app.Address, "/set/y/2");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/loaded/x"));
        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/loaded/y"));
    }

    [Fact]
    public async Task With_the_store_away_only_a_request_that_needs_the_session_fails_and_nobody_loses_a_cookie()
    {
        await using var app = await StartAsync(configure: FailsWithoutStore);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Store.Break();
        app.Time.Advance(LongerThanRemembered);

        Assert.Equal("ok", await _visitor.GetStringAsync(app.Address, "/untouched"));
        Assert.Equal("Unreachable False", await _visitor.GetStringAsync(app.Address, "/store"));
        using var read = await _visitor.GetAsync(app.Address, "/get/x");
        using var write = await _visitor.PostAsync(app.Address, "/set/x/2");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (read.StatusCode, write.StatusCode));
        Assert.Equal(TimeSpan.FromSeconds(2), read.Headers.RetryAfter!.Delta);
        Assert.Empty(_visitor.LastSetCookies);
        app.Store.Heal();
        app.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Theory]
    [InlineData("/set/x/2")]
    [InlineData("/redirect/x/2")]
    [InlineData("/nothing/x/2")]
    [InlineData("/flush/x/2")]
    public async Task A_save_that_fails_is_a_503_without_the_body_of_success(string path)
    {
        await using var app = await StartAsync(configure: FailsWithoutStore);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();

        using var response = await _visitor.PostAsync(app.Address, path);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.DoesNotContain("saved", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task A_store_that_is_away_is_a_503_also_behind_the_apps_exception_handler()
    {
        await using var app = await StartAsync(configure: FailsWithoutStore, exceptionHandler: true);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Store.Break();
        app.Time.Advance(LongerThanRemembered);

        using var response = await _visitor.GetAsync(app.Address, "/get/x");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "sorry"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Signing_in_keeps_the_content_and_makes_every_earlier_ticket_worthless()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/basket/1");
        var attacker = _visitor.Clone();

        await _visitor.PostAsync(app.Address, "/sign-in");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/basket"));
        using var stolen = await attacker.GetAsync(app.Address, "/get/basket");
        Assert.Equal(HttpStatusCode.NotFound, stolen.StatusCode);
    }

    [Fact]
    public async Task A_request_that_began_before_the_sign_in_can_neither_save_nor_put_its_cookie_back()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(routes => routes.MapPost("/slow", async (HttpContext context) =>
        {
            entered.SetResult();
            await go.Task;
            context.Session.SetString("basket", "old");
            return "saved";
        }));
        await _visitor.PostAsync(app.Address, "/set/basket/1");
        var slow = _visitor.Clone();
        var sending = slow.PostAsync(app.Address, "/slow");
        await entered.Task;
        await _visitor.PostAsync(app.Address, "/sign-in");
        go.SetResult();

        using var response = await sending;

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Empty(slow.LastSetCookies);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/basket"));
    }

    [Fact]
    public async Task Just_after_a_sign_in_an_older_ticket_cannot_begin_a_session_that_would_overwrite_the_new_cookie()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/basket/1");
        var otherTab = _visitor.Clone();
        await _visitor.PostAsync(app.Address, "/sign-in");

        using var atOnce = await otherTab.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(SessionLoader.StaleTicketGrace);
        using var later = await otherTab.PostAsync(app.Address, "/set/x/1");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.OK), (atOnce.StatusCode, later.StatusCode));
        Assert.NotEmpty(otherTab.LastSetCookies);
        using var basket = await otherTab.GetAsync(app.Address, "/get/basket");
        Assert.Equal(HttpStatusCode.NotFound, basket.StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_everywhere_and_removes_the_cookie()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        await _visitor.PostAsync(app.Address, "/sign-in");
        var copy = _visitor.Clone();

        await _visitor.PostAsync(app.Address, "/sign-out");

        Assert.Null(_visitor.Cookies[Cookie]);
        using var again = await copy.GetAsync(app.Address, "/get/x");
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task A_slow_request_cannot_bring_back_a_session_that_was_signed_out()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(routes => routes.MapPost("/slow", async (HttpContext context) =>
        {
            context.Session.SetString("x", "2");
            entered.SetResult();
            await go.Task;
            return "saved";
        }));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var slow = _visitor.Clone();
        var sending = slow.PostAsync(app.Address, "/slow");
        await entered.Task;
        await _visitor.PostAsync(app.Address, "/sign-out");
        go.SetResult();

        using var response = await sending;

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Empty(slow.LastSetCookies);
    }

    [Fact]
    public async Task An_old_ticket_cannot_sign_the_renewed_session_out()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var attacker = _visitor.Clone();
        await _visitor.PostAsync(app.Address, "/sign-in");

        await attacker.PostAsync(app.Address, "/sign-out");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task With_the_store_away_signing_out_is_an_error_and_not_a_pretence()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();

        using var response = await _visitor.PostAsync(app.Address, "/sign-out");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(_visitor.Cookies[Cookie]);
    }

    [Fact]
    public async Task At_the_idle_timeout_the_session_is_gone_and_before_it_is_there()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(TimeSpan.FromMinutes(20) - TimeSpan.FromMilliseconds(1));
        var late = _visitor.Clone();

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        await WaitUntilAsync(() => app.Store.Touches == 1);
        app.Time.Advance(TimeSpan.FromMinutes(20));

        using var response = await late.GetAsync(app.Address, "/get/x");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_session_that_is_only_read_is_touched_when_a_quarter_of_its_idle_time_has_passed_and_not_before()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");

        app.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        await _visitor.GetStringAsync(app.Address, "/get/x");
        app.Time.Advance(TimeSpan.FromTicks(1));
        await _visitor.GetStringAsync(app.Address, "/get/x");

        await WaitUntilAsync(() => app.Store.Touches > 0);
        Assert.Equal(1, app.Store.Touches);
    }

    [Fact]
    public async Task At_the_absolute_timeout_a_busy_session_is_gone()
    {
        await using var app = await StartAsync(configure: o => (o.Sessions.IdleTimeout, o.Sessions.AbsoluteTimeout) = (TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(30)));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        app.Time.Advance(TimeSpan.FromMinutes(15));
        await _visitor.PostAsync(app.Address, "/set/y/1");
        app.Time.Advance(TimeSpan.FromMinutes(15));

        using var response = await _visitor.GetAsync(app.Address, "/get/x");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Removing_what_is_not_there_and_setting_nothing_begins_no_session()
    {
        await using var app = await StartAsync();

        await _visitor.PostAsync(app.Address, "/remove/x");
        await _visitor.PostAsync(app.Address, "/set-and-remove/x");

        Assert.Equal(0, app.Store.Writes);
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task The_request_is_told_where_its_session_came_from()
    {
        await using var app = await StartAsync();

        Assert.Equal("None none NotAsked", await _visitor.GetStringAsync(app.Address, "/origin"));
        Assert.StartsWith("New 1.", await (await _visitor.PostAsync(app.Address, "/set-and-tell/x/1")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith("NearCache 1.", await _visitor.GetStringAsync(app.Address, "/origin"), StringComparison.Ordinal);
        app.Time.Advance(LongerThanRemembered);
        Assert.StartsWith("Store 1.", await _visitor.GetStringAsync(app.Address, "/origin"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tampered_and_foreign_tickets_are_served_as_none_without_asking_the_store()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var genuine = _visitor.Cookies[Cookie]!;

        // Cut behind the key's id: one that nobody knows is looked up, at most once a second by a clock that stands still here.
        foreach (var forged in new[] { genuine[..^1] + (genuine[^1] == 'A' ? 'B' : 'A'), genuine[..40] + genuine[44..], "x", new string('A', 127) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Address, "/get/x"));
            request.Headers.TryAddWithoutValidation("Cookie", $"{Cookie}={forged}");
            using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });

            using var response = await client.SendAsync(request);

            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }

        Assert.Equal(0, app.Store.Reads);
    }

    private static void FailsWithoutStore(AffinityOptions options) => options.Sessions.OnStoreAway = StoreAway.Fail;

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static Task<PipelineApp> StartAsync(
        Action<WebApplication>? more = null, Action<AffinityOptions>? configure = null, bool exceptionHandler = false) => PipelineApp.StartAsync(
        app =>
        {
            if (exceptionHandler)
            {
                app.UseExceptionHandler(handler => handler.Run(context => context.Response.WriteAsync("sorry")));
            }

            app.UseWebSockets();
            MapReading(app);
            MapWriting(app);
            MapSigning(app);
            more?.Invoke(app);
        },
        configure,
        builder => builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie());

    private static void MapReading(WebApplication app)
    {
        app.MapGet("/untouched", () => "ok");
        app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) is { } value ? Results.Text(value) : Results.NotFound());
        app.MapGet("/loaded/{key}", async (HttpContext context, string key) =>
        {
            await context.Session.LoadAsync();
            return context.Session.GetString(key);
        });
        app.MapGet("/message-of/{key}", (HttpContext context, string key) => Assert.Throws<InvalidOperationException>(() => context.Session.GetString(key)).Message);
        app.MapGet("/store", (HttpContext context) => $"{context.GetAffinity().Store} {context.Session.IsAvailable}");
        app.MapGet("/origin", (HttpContext context) => Origin(context));
    }

    private static void MapWriting(WebApplication app)
    {
        app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return "saved";
        });
        app.MapPost("/set-and-tell/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await context.Session.CommitAsync();
            return Origin(context);
        });
        app.MapPost("/redirect/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return Results.Redirect("/");
        });
        app.MapPost("/nothing/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return Results.NoContent();
        });
        app.MapPost("/empty/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
        app.MapMethods("/head/{key}/{value}", ["HEAD"], (HttpContext context, string key, string value) => context.Session.SetString(key, value));
        app.MapPost("/flush/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Response.ContentLength = 5;
            await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes("saved"));
            await context.Response.Body.FlushAsync();
        });
        app.MapPost("/stream/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await context.Response.StartAsync();
            await context.Response.WriteAsync("saved");
        });
        app.MapGet("/socket/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
        });
        app.MapGet("/late", async (HttpContext context) =>
        {
            await context.Response.StartAsync();
            var e = Record.Exception(() => context.Session.SetString("x", "1"));
            await context.Response.WriteAsync(e?.GetType().Name ?? "none");
        });
        app.MapPost("/throw/{key}/{value}", string (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            throw new InvalidOperationException("on purpose");
        });
        app.MapPost("/remove/{key}", (HttpContext context, string key) => context.Session.Remove(key));
        app.MapPost("/set-and-remove/{key}", (HttpContext context, string key) =>
        {
            context.Session.SetString(key, "1");
            context.Session.Remove(key);
        });
    }

    private static void MapSigning(WebApplication app)
    {
        app.MapPost("/sign-in", (HttpContext context) => context.SignInAsync(
            new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "Ann")], CookieAuthenticationDefaults.AuthenticationScheme))));
        app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
    }

    private static string Origin(HttpContext context)
    {
        var affinity = context.GetAffinity();
        return $"{affinity.Origin} {affinity.Version} {affinity.Store}";
    }
}
