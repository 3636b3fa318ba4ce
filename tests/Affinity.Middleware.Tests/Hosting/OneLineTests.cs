using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary><c>builder.AddAffinity()</c> and nothing else, and what happens to those who do it otherwise.</summary>
public sealed class OneLineTests
{
    [Fact]
    public async Task One_line_gives_a_session_a_node_and_health()
    {
        await using var app = await StartAsync(Builder());
        using var client = app.GetTestClient();

        using var saved = await client.PostAsync(new Uri("/set", UriKind.Relative), content: null);
        using var ready = await client.GetAsync(new Uri("/affinity/health/ready", UriKind.Relative));

        Assert.Equal(["AFF", "__Host-affinity"], saved.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split('=')[0]));
        Assert.True(ready.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Without_Redis_one_warning_says_that_nothing_is_shared()
    {
        var log = new LogLines();
        var builder = Builder();
        builder.Logging.AddProvider(log);

        await using var app = await StartAsync(builder);

        Assert.Contains("ConnectionStrings:redis", Assert.Single(log.Warnings, line => line.Contains("Affinity", StringComparison.Ordinal) || line.Contains("store", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_that_still_adds_the_frameworks_session_is_told_to_remove_it()
    {
        var log = new LogLines();
        var builder = Builder();
        builder.Services.AddSession();
        builder.Logging.AddProvider(log);

        await using var app = await StartAsync(builder);

        Assert.Single(log.Warnings, line => line.Contains("AddSession()", StringComparison.Ordinal));
    }

    /// <summary>The binder says nothing about what it does not know: a farm with a misspelt secret ran on keys of the vault.</summary>
    [Fact]
    public async Task A_setting_that_is_not_understood_is_named_once_without_its_value()
    {
        var log = new LogLines();
        var builder = Builder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Affinity:Session:Load"] = "OnDemand",
            ["affinity:node:id"] = "a",
            ["Affinity:Node:DeadAftre"] = "00:00:09",
            ["Affinity:Secrets"] = "not-a-list",
            ["Affinity:Sessions:Load"] = "BeforeApp",
        });
        builder.Logging.AddProvider(log);

        await using var app = await StartAsync(builder);

        var told = log.Warnings.Where(line => line.Contains("is not known", StringComparison.Ordinal)).Order(StringComparer.OrdinalIgnoreCase).ToArray();
        Assert.Collection(
            told,
            line => Assert.Contains("Affinity:Node:DeadAftre", line, StringComparison.OrdinalIgnoreCase),
            line => Assert.Contains("Affinity:Secrets ", line, StringComparison.OrdinalIgnoreCase),
            line => Assert.Contains("Affinity:Session ", line, StringComparison.OrdinalIgnoreCase));
        Assert.All(log.Warnings, line => Assert.DoesNotContain("not-a-list", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_development_where_the_container_checks_itself_an_app_without_authentication_starts()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Logging.ClearProviders();
        builder.AddAffinity();
        await using var app = await StartAsync(builder);
        using var client = app.GetTestClient();

        Assert.Equal("", await client.GetStringAsync(new Uri("/get", UriKind.Relative)));
    }

    [Fact]
    public async Task An_app_that_places_the_pipeline_itself_has_it_once()
    {
        var builder = Builder();
        var store = new FaultyStore(new Affinity.Backends.Memory.MemorySessionStore(TimeProvider.System));
        builder.Services.AddSingleton<ISessionStore>(store);
        await using var app = await StartAsync(builder, app => app.UseAffinity().UseAffinity());
        using var client = app.GetTestClient();
        using var saved = await client.PostAsync(new Uri("/set", UriKind.Relative), content: null);
        client.DefaultRequestHeaders.Add("Cookie", string.Join("; ", saved.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0])));

        Assert.Equal("1", await client.GetStringAsync(new Uri("/get", UriKind.Relative)));

        Assert.Equal((0, 1), (store.Reads, store.Writes));
    }

    [Fact]
    public async Task A_pipeline_that_is_placed_by_hand_leaves_what_stands_before_it_without_a_session()
    {
        await using var app = await StartAsync(Builder(), app =>
        {
            app.Use(async (context, next) =>
            {
                if (context.Request.Path == "/before")
                {
                    var e = Assert.Throws<InvalidOperationException>(() => context.GetAffinity().Node);
                    await context.Response.WriteAsync(e.Message);
                    return;
                }

                await next(context);
            });
            app.UseAffinity();
        });
        using var client = app.GetTestClient();

        Assert.Contains("UseAffinity()", await client.GetStringAsync(new Uri("/before", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public void UseAffinity_without_AddAffinity_names_the_missing_line()
    {
        using var app = WebApplication.CreateSlimBuilder().Build() as IDisposable;

        var e = Assert.Throws<InvalidOperationException>(() => ((WebApplication)app!).UseAffinity());

        Assert.Contains("builder.AddAffinity()", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calling_AddAffinity_twice_is_refused()
    {
        var builder = Builder();

        Assert.Throws<InvalidOperationException>(() => builder.AddAffinity());
    }

    [Fact]
    public async Task Every_fault_of_every_section_is_reported_at_start_with_its_cure()
    {
        var builder = Builder(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Affinity:Node:Id"] = "node a",
            ["Affinity:Drain:Timeout"] = "00:01:00",
            ["Affinity:Sessions:IdleTimeout"] = "00:00:00",
            ["Affinity:Sessions:MaxBytes"] = "1",
            ["Affinity:Ticket:CookieName"] = "with space",
            ["Affinity:Redis:KeyPrefix"] = "{}",
            ["Affinity:Secrets:0"] = "c2hvcnQ=",
            ["Affinity:Application"] = "",
        });

        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(builder));

        Assert.All(
            ["Node:Id", "Drain:Timeout", "Sessions:IdleTimeout", "Sessions:MaxBytes", "Ticket:CookieName", "Redis:KeyPrefix", "Secrets:0", "Application"],
            name => Assert.Contains(e.Failures, fault => fault.Contains("Affinity:" + name, StringComparison.Ordinal)));
        Assert.DoesNotContain("c2hvcnQ=", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_in_code_win_over_the_configuration()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("Affinity:Node:Id", "from-configuration")]);
        builder.AddAffinity(o => o.Node.Id = "from-code");
        await using var app = await StartAsync(builder);
        using var client = app.GetTestClient();

        Assert.Equal("from-code", await client.GetStringAsync(new Uri("/node", UriKind.Relative)));
    }

    [Fact]
    public async Task TempData_lives_in_the_session_and_is_there_once_after_a_redirect()
    {
        var builder = Builder();
        builder.Services.AddControllersWithViews().AddSessionStateTempDataProvider().AddApplicationPart(typeof(TempDataController).Assembly);
        await using var app = await StartAsync(builder, app => app.MapControllers());
        var visitor = new InMemoryVisitor(app.GetTestClient());

        using var redirect = await visitor.SendAsync(HttpMethod.Post, "/temp-data/write");
        using var first = await visitor.SendAsync(HttpMethod.Get, "/temp-data/read");
        using var second = await visitor.SendAsync(HttpMethod.Get, "/temp-data/read");

        Assert.Equal(302, (int)redirect.StatusCode);
        Assert.Equal("ordered", await first.Content.ReadAsStringAsync());
        Assert.Equal("nothing", await second.Content.ReadAsStringAsync());
    }

    private static WebApplicationBuilder Builder(Dictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.AddAffinity();
        return builder;
    }

    private static async Task<WebApplication> StartAsync(WebApplicationBuilder builder, Action<WebApplication>? use = null)
    {
        builder.WebHost.UseTestServer();
        var app = builder.Build();
        use?.Invoke(app);
        app.MapPost("/set", (HttpContext context) => context.Session.SetString("x", "1"));
        app.MapGet("/get", (HttpContext context) => context.Session.GetString("x") ?? "");
        app.MapGet("/node", (HttpContext context) => context.GetAffinity().Node);
        await app.StartAsync();
        return app;
    }

    /// <summary>Keeps cookies over a TestServer, which has no address for a real client.</summary>
    private sealed class InMemoryVisitor(HttpClient client)
    {
        private readonly CookieJar _cookies = new();
        private readonly Uri _base = new("https://shop.test/");

        public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
        {
            var address = new Uri(_base, path);
            using var request = new HttpRequestMessage(method, address);
            request.Headers.TryAddWithoutValidation("Cookie", _cookies.HeaderFor(address));
            var response = await client.SendAsync(request);
            foreach (var line in response.Headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
            {
                _cookies.Receive(address, line);
            }

            return response;
        }
    }
}

/// <summary>Writes TempData and redirects, as pages do after a post.</summary>
[Route("temp-data")]
public sealed class TempDataController : Controller
{
    [HttpPost("write")]
    public IActionResult Write()
    {
        TempData["message"] = "ordered";
        return Redirect("/temp-data/read");
    }

    [HttpGet("read")]
    public string Read() => TempData["message"] as string ?? "nothing";
}
