using System.Net;
using System.Text;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>The session among other middlewares and under unusual ways to answer.</summary>
public sealed class SessionResponsesTests
{
    private const string Cookie = "__Host-affinity";

    private readonly Visitor _visitor = new();

    [Fact]
    public async Task An_exception_handler_that_runs_a_path_again_saves_what_that_path_sets_and_not_what_the_failed_one_set()
    {
        await using var app = await StartAsync(app => app.UseExceptionHandler("/sorry"));
        await _visitor.PostAsync(app.Address, "/set/x/1");

        using var response = await _visitor.PostAsync(app.Address, "/throw/x/2");

        Assert.Equal((HttpStatusCode.InternalServerError, "x was 1"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        Assert.Equal("told", await _visitor.GetStringAsync(app.Address, "/get/sorry"));
    }

    [Fact]
    public async Task The_developer_exception_page_saves_nothing_of_the_failed_request()
    {
        await using var app = await StartAsync(app => app.UseDeveloperExceptionPage());
        await _visitor.PostAsync(app.Address, "/set/x/1");

        using var response = await _visitor.PostAsync(app.Address, "/throw/x/2");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task A_handler_that_commits_and_then_throws_keeps_what_it_committed_and_gives_the_visitor_the_ticket()
    {
        await using var app = await StartAsync(app => app.UseExceptionHandler("/sorry"));

        using var response = await _visitor.PostAsync(app.Address, "/commit-and-throw/x/1");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        Assert.Equal("nothing", await _visitor.GetStringAsync(app.Address, "/get/late"));
    }

    [Fact]
    public async Task An_update_whose_commit_may_have_arrived_is_not_applied_again_when_the_app_goes_on()
    {
        await using var app = await StartAsync(_ => { }, FailsWithoutStore);
        await _visitor.PostAsync(app.Address, "/increment/n");
        app.Store.AfterWrite = (number, _) => number is 2 or 3 ? throw FaultyStore.Ambiguous() : ValueTask.CompletedTask;

        using var response = await _visitor.PostAsync(app.Address, "/increment/n");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("2", await _visitor.GetStringAsync(app.Address, "/get/n"));
    }

    [Fact]
    public async Task A_value_whose_commit_may_have_arrived_is_saved_when_the_app_goes_on()
    {
        await using var app = await StartAsync(_ => { }, FailsWithoutStore);
        app.Store.AfterWrite = (number, _) => number is 1 or 2 ? throw FaultyStore.Ambiguous() : ValueTask.CompletedTask;

        using var response = await _visitor.PostAsync(app.Address, "/try-to-commit/x/1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task Of_two_sign_ins_at_once_one_is_told_that_the_session_changed_and_nothing_is_lost()
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await StartAsync(app => app.MapPost("/renew-slowly", async (HttpContext context) =>
        {
            await context.Session.RegenerateAsync();
            entered.SetResult();
            await go.Task;
        }));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var second = _visitor.Clone();
        var slow = second.PostAsync(app.Address, "/renew-slowly");
        await entered.Task;
        await _visitor.PostAsync(app.Address, "/renew");
        go.SetResult();

        Assert.Equal(HttpStatusCode.Conflict, (await slow).StatusCode);
        Assert.Empty(second.LastSetCookies);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task Status_code_pages_that_run_a_path_again_see_the_session_and_it_is_saved_once()
    {
        await using var app = await StartAsync(app => app.UseStatusCodePagesWithReExecute("/missing"));

        using var response = await _visitor.PostAsync(app.Address, "/set-and-404/x/1");

        Assert.Equal((HttpStatusCode.NotFound, "x is 1"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(1, app.Store.Writes);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Theory]
    [InlineData("/on-starting/x/1")]
    [InlineData("/complete/x/1")]
    [InlineData("/file/x/1")]
    [InlineData("/events/x/1")]
    [InlineData("/pipe/x/1")]
    [InlineData("/not-modified/x/1")]
    [InlineData("/trailers/x/1")]
    [InlineData("/commit-twice/x/1")]
    [InlineData("/commit-then-set/x/1")]
    [InlineData("/filter/x/1")]
    public async Task Whatever_way_it_is_answered_the_session_is_saved_and_its_ticket_sent(string path)
    {
        await using var app = await StartAsync(app => app.UseResponseCompression());
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Address, path));
        request.Headers.Add("Accept-Encoding", "gzip");

        using var response = await _visitor.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.NotNull(_visitor.Cookies[Cookie]);
        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Theory]
    [InlineData("/set/x/1", 200)]
    [InlineData("/trailers/x/1", 200)]
    [InlineData("/complete/x/1", 200)]
    public async Task Over_HTTP_2_the_session_is_saved_before_the_headers(string path, int status)
    {
        await using var app = await StartAsync(_ => { }, builder => builder.WebHost.ConfigureKestrel(o => o.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http2)));
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var request = new HttpRequestMessage(path.StartsWith("/set", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, new Uri(app.Address, path))
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal((status, 1), ((int)response.StatusCode, app.Store.Writes));
        Assert.Contains(response.Headers.GetValues("Set-Cookie"), line => line.StartsWith(Cookie, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Over_HTTP_2_a_save_that_fails_is_a_503()
    {
        await using var app = await StartAsync(_ => { }, builder =>
        {
            FailsWithoutStore(builder);
            builder.WebHost.ConfigureKestrel(o => o.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http2));
        });
        app.Store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        using var client = new HttpClient();
        foreach (var path in new[] { "/events/x/1", "/not-modified/x/1" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(app.Address, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }
    }

    [Fact]
    public async Task The_output_cache_hands_no_visitors_ticket_to_another()
    {
        await using var app = await StartAsync(app => app.UseOutputCache(), builder => builder.Services.AddOutputCache());
        await _visitor.GetStringAsync(app.Address, "/cached/x/1");
        Assert.NotNull(_visitor.Cookies[Cookie]);
        var other = new Visitor();

        await other.GetStringAsync(app.Address, "/cached/x/1");

        Assert.NotEqual(_visitor.Cookies[Cookie], other.Cookies[Cookie]);
    }

    [Fact]
    public async Task A_response_cache_in_front_hands_no_visitors_ticket_to_another()
    {
        await using var app = await StartAsync(
            app =>
            {
                app.UseResponseCaching();
                app.UseAffinity();
            },
            builder => builder.Services.AddResponseCaching());
        await _visitor.GetStringAsync(app.Address, "/cached/x/1");
        Assert.NotNull(_visitor.Cookies[Cookie]);
        var other = new Visitor();

        await other.GetStringAsync(app.Address, "/cached/x/1");

        Assert.NotEqual(_visitor.Cookies[Cookie], other.Cookies[Cookie]);
    }

    [Fact]
    public async Task A_request_that_aborts_its_connection_breaks_nothing()
    {
        await using var app = await StartAsync(_ => { });

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => _visitor.GetStringAsync(app.Address, "/abort/x/1"));

        Assert.Equal("nothing", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task The_view_keeps_the_frameworks_rules_for_keys_and_values()
    {
        await using var app = await StartAsync(_ => { });

        Assert.Equal("ok", await _visitor.GetStringAsync(app.Address, "/rules"));
    }

    private static void FailsWithoutStore(WebApplicationBuilder builder) => builder.Services.Configure<AffinityOptions>(o => o.Sessions.OnStoreAway = StoreAway.Fail);

    private static Task<PipelineApp> StartAsync(Action<WebApplication> use, Action<WebApplicationBuilder>? build = null) => PipelineApp.StartAsync(
        app =>
        {
            use(app);
            app.UseRouting();
            MapPlain(app);
            MapStarting(app);
        },
        build: builder =>
        {
            builder.Services.AddResponseCompression(o => o.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, "text/event-stream"]);
            build?.Invoke(builder);
        });

    private static void MapPlain(WebApplication app)
    {
        app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) ?? "nothing");
        app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
        app.MapPost("/throw/{key}/{value}", void (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            throw new InvalidOperationException("on purpose");
        });
        app.MapPost("/commit-and-throw/{key}/{value}", async Task (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await context.Session.CommitAsync();
            context.Session.SetString("late", value);
            throw new InvalidOperationException("on purpose");
        });
        app.Map("/sorry", (HttpContext context) =>
        {
            Assert.NotNull(context.Features.Get<IExceptionHandlerFeature>());
            var before = context.Session.GetString("x");
            context.Session.SetString("sorry", "told");
            return "x was " + before;
        });
        app.MapPost("/set-and-404/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Response.StatusCode = 404;
        });
        app.MapPost("/increment/{key}", async (HttpContext context, string key) =>
        {
            context.Session.Update<int>(key, n => n + 1);
            try
            {
                await context.Session.CommitAsync();
            }
            catch (SessionUnavailableException)
            {
                await context.Response.WriteAsync("going on");
            }
        });
        app.MapPost("/try-to-commit/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await Assert.ThrowsAsync<SessionUnavailableException>(() => context.Session.CommitAsync());
        });
        app.MapPost("/renew", (HttpContext context) => context.Session.RegenerateAsync());
        app.Map("/missing", (HttpContext context) => "x is " + context.Session.GetString("x"));
        app.MapGet("/cached/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Response.Headers.CacheControl = "public, max-age=600";
            return "content";
        }).CacheOutput();
        app.MapGet("/abort/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Abort();
        });
        app.MapGet("/rules", (HttpContext context) => Rules(context.Session));
    }

    private static string Rules(ISession session)
    {
        Assert.Throws<ArgumentNullException>(() => session.Set(null!, []));
        Assert.Throws<ArgumentNullException>(() => session.Set("k", null!));
        Assert.Throws<ArgumentNullException>(() => session.TryGetValue(null!, out _));
        Assert.Throws<ArgumentNullException>(() => session.Remove(null!));
        session.Set("", [1]);
        session.Set("empty", []);
        byte[] mine = [1, 2];
        session.Set("mine", mine);
        mine[0] = 9;
        Assert.True(session.TryGetValue("mine", out var copy));
        copy[1] = 9;
        Assert.True(session.TryGetValue("mine", out var again));
        Assert.Equal([1, 2], again);
        Assert.True(session.TryGetValue("empty", out var empty));
        Assert.Empty(empty);
        Assert.True(session.IsAvailable);
        Assert.Equal(session.Id, session.Id);
        foreach (var key in session.Keys)
        {
            session.Remove(key);
        }

        Assert.Empty(session.Keys);
        return "ok";
    }

    private static void MapStarting(WebApplication app)
    {
        app.MapGet("/on-starting/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Response.OnStarting(() =>
            {
                context.Session.SetString(key, value);
                return Task.CompletedTask;
            });
            return "text";
        });
        app.MapGet("/complete/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await context.Response.CompleteAsync();
        });
        app.MapGet("/file/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await context.Response.SendFileAsync(typeof(SessionResponsesTests).Assembly.Location);
        });
        app.MapGet("/events/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return TypedResults.ServerSentEvents(Events());
        });
        app.MapGet("/pipe/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            Encoding.ASCII.GetBytes("text", context.Response.BodyWriter);
            await context.Response.BodyWriter.FlushAsync();
        });
        app.MapGet("/not-modified/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Response.StatusCode = 304;
        });
        app.MapGet("/trailers/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Response.DeclareTrailer("checksum");
            await context.Response.WriteAsync("text");
            if (context.Response.SupportsTrailers())
            {
                context.Response.AppendTrailer("checksum", "1");
            }
        });
        app.MapGet("/commit-twice/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            await context.Session.CommitAsync();
            await context.Session.CommitAsync();
        });
        app.MapGet("/commit-then-set/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, "0");
            await context.Session.CommitAsync();
            context.Session.SetString(key, value);
        });
        app.MapGet("/filter/{key}/{value}", () => "text").AddEndpointFilter(async (invocation, next) =>
        {
            var result = await next(invocation);
            invocation.HttpContext.Session.SetString("x", "1");
            return result;
        });
    }

    private static async IAsyncEnumerable<string> Events()
    {
        yield return "one";
        await Task.Yield();
        yield return "two";
    }
}
