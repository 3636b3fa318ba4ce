using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Affinity.Backends.Memory;
using Affinity.Inspection;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tests.Sessions;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary>The inspector where operators reach it: who may, how much it takes, and what it leaves alone.</summary>
public sealed class InspectEndpointTests
{
    private const string Path = "/affinity/inspect";

    [Fact]
    public async Task A_visitor_who_may_sees_what_the_own_cookies_are()
    {
        await using var app = await StartAsync();
        var cookies = await VisitAsync(app);

        using var answer = await app.SendAsync(HttpMethod.Get, Path, ("X-Name", "operator"), ("Cookie", cookies));
        var report = await ReadAsync(answer);

        Assert.Equal((HttpStatusCode.OK, "application/json"), (answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.True(report.Valid);
        Assert.Equal([("ticket", "valid"), ("route", "named")], report.Cookies.Select(cookie => (cookie.Is, cookie.Verdict)));
        Assert.Equal(new InspectedRoute("a", Lives: true), report.Cookies[1].Route);
        Assert.EndsWith("signs now", report.Cookies[0].Envelope?.KeyIs, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cookie_that_is_posted_is_judged_and_nothing_is_done_with_it()
    {
        var store = new FaultyStore(new MemorySessionStore(TimeProvider.System));
        using var log = new LogLines();
        await using var app = await StartAsync(builder =>
        {
            builder.Services.AddSingleton<ISessionStore>(store);
            builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        });
        var cookies = await VisitAsync(app);
        var calls = (store.Reads, store.Writes, store.Touches);
        var value = cookies.Split("__Host-affinity=")[1].Split(';')[0];

        foreach (var text in new[] { value, "Cookie: " + cookies, "Cookie: __Host-affinity=" + Altered(value) })
        {
            using var answer = await PostAsync(app, text);
            var body = await answer.Content.ReadAsStringAsync();

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.True(answer.Headers.CacheControl?.NoStore);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            Assert.Equal(!text.Contains(Altered(value), StringComparison.Ordinal), Parse(body).Valid);
            Assert.DoesNotContain(value[^30..], body, StringComparison.Ordinal);
            Assert.DoesNotContain("sesame", body, StringComparison.Ordinal);
        }

        Assert.Equal(calls, (store.Reads, store.Writes, store.Touches));
        Assert.NotEmpty(log.Entries);
        Assert.DoesNotContain(log.Entries, entry => entry.Message.Contains(value[60..100], StringComparison.Ordinal) || entry.Message.Contains("sesame", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_takes_32_KiB_whether_their_length_is_told_or_not()
    {
        await using var app = await StartAsync();
        foreach (var (length, told, status) in new[]
        {
            (32 * 1024, true, HttpStatusCode.OK), ((32 * 1024) + 1, true, HttpStatusCode.RequestEntityTooLarge),
            (32 * 1024, false, HttpStatusCode.OK), ((32 * 1024) + 1, false, HttpStatusCode.RequestEntityTooLarge),
            (0, true, HttpStatusCode.BadRequest),
        })
        {
            using var answer = await PostAsync(app, new string('A', length), told);

            Assert.Equal((length, status), (length, answer.StatusCode));
            Assert.True(answer.Headers.CacheControl?.NoStore);
        }
    }

    [Fact]
    public async Task The_policy_decides_who_may()
    {
        await using var app = await StartAsync();

        foreach (var (name, status) in new[] { ("", HttpStatusCode.Unauthorized), ("ann", HttpStatusCode.Forbidden), ("operator", HttpStatusCode.OK) })
        {
            using var own = await app.SendAsync(HttpMethod.Get, Path, ("X-Name", name));
            using var given = await PostAsync(app, "x", name: name);
            Assert.Equal((status, status), (own.StatusCode, given.StatusCode));
        }
    }

    [Fact]
    public async Task Nothing_is_mapped_unless_the_app_asks()
    {
        await using var app = await OperatorApp.StartAsync(_ => { });
        using var answer = await app.SendAsync(HttpMethod.Get, Path);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_page_of_another_site_has_nothing_inspected_in_an_operators_name()
    {
        await using var app = await StartAsync();
        foreach (var header in new[] { ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example") })
        {
            using var answer = await PostAsync(app, "x", headers: header);
            Assert.Equal((HttpStatusCode.Forbidden, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        }
    }

    [Theory]
    [InlineData("Staging", false)]
    [InlineData("Development", true)]
    public async Task Values_of_a_session_are_shown_in_development_only(string environment, bool shown)
    {
        var store = new FaultyStore(new MemorySessionStore(TimeProvider.System));
        await using var app = await StartAsync(builder =>
        {
            builder.Services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = environment });
            builder.Services.AddSingleton<ISessionStore>(store);
        });
        store.Break();

        using var answer = await PostAsync(app, "Cookie: " + await VisitAsync(app));
        var body = await answer.Content.ReadAsStringAsync();

        var item = Assert.Single(Assert.Single(Parse(body).Cookies[0].Ticket!.Journal!.Entries!).Changes);
        Assert.Equal(("word", 6, "text", shown ? "sesame" : null), (item.Key, item.Bytes, item.LooksLike, item.Value));
        Assert.Equal(shown, body.Contains("sesame", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_that_rides_in_several_cookies_is_told_whole()
    {
        await using var app = await StartAsync(settings: [("Sessions:Carrier", "Cookie"), ("Ticket:MaxBytes", "16000")]);
        using var visit = await app.SendAsync(HttpMethod.Post, "/fill");
        var lines = visit.Headers.GetValues("Set-Cookie").Where(line => line.StartsWith("__Host-", StringComparison.Ordinal)).ToList();

        using var whole = await PostAsync(app, string.Join('\n', lines.Select(line => "Set-Cookie: " + line)));
        using var half = await PostAsync(app, "Set-Cookie: " + lines[0]);
        var (first, second) = ((await ReadAsync(whole)).Cookies[0], (await ReadAsync(half)).Cookies[0]);

        Assert.Equal(("valid", 3, "encrypted", "opened"), (first.Verdict, first.SpreadOver, first.Ticket?.Content?.Form, first.Ticket?.Content?.State));
        Assert.Equal([new InspectedItem("fill", 6000, "text", Value: null)], first.Ticket!.Content!.Items!);
        Assert.Equal(("chunk_missing", false), (second.Verdict, second.Valid));
    }

    [Fact]
    public async Task A_node_that_drains_and_refuses_visitors_still_answers_operators()
    {
        await using var app = await StartAsync(settings: ("Drain:UnboundRequests", "Refuse"));
        await app.BeatAsync(new(NodeId.Parse("b"), Guid.NewGuid(), NodeState.Active, InFlight: 0));
        using var drain = await app.SendAsync(HttpMethod.Post, "/affinity/nodes/a/drain", ("X-Name", "operator"));
        using var visitor = await app.SendAsync(HttpMethod.Get, "/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, visitor.StatusCode);

        using var own = await app.SendAsync(HttpMethod.Get, Path, ("X-Name", "operator"));
        using var given = await PostAsync(app, "x");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (own.StatusCode, given.StatusCode));
    }

    /// <summary>An app in production with the policy <c>operators</c>, and a session that holds the word <c>sesame</c>.</summary>
    private static Task<OperatorApp> StartAsync(Action<WebApplicationBuilder>? build = null, params (string Key, string Value)[] settings) => OperatorApp.StartAsync(
        app =>
        {
            app.MapAffinity("operators");
            app.MapPost("/fill", (HttpContext context) => context.Session.SetString("fill", new string('x', 6000)));
            app.MapPost("/set", (HttpContext context) => context.Session.SetString("word", "sesame"));
        },
        builder =>
        {
            OperatorApp.AddOperators(builder);
            build?.Invoke(builder);
        },
        [("Application", Sample.Application), ("Secrets:0", Sample.Secret), .. settings]);

    /// <summary>The cookies of a new visitor with a session.</summary>
    private static async Task<string> VisitAsync(OperatorApp app)
    {
        using var answer = await app.SendAsync(HttpMethod.Post, "/set");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return string.Join("; ", answer.Headers.GetValues("Set-Cookie").Select(line => line.Split(';')[0]).Append("other=sesame"));
    }

    private static string Altered(string value) => value[..40] + (value[40] == 'A' ? 'B' : 'A') + value[41..];

    private static async Task<HttpResponseMessage> PostAsync(OperatorApp app, string text, bool tellLength = true, string name = "operator", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Path, UriKind.Relative));
        request.Headers.Add("X-Name", name);
        foreach (var (header, value) in headers)
        {
            request.Headers.Add(header, value);
        }

        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        if (!tellLength)
        {
            request.Headers.TransferEncodingChunked = true;
        }

        return await app.Client.SendAsync(request);
    }

    private static async Task<InspectionReport> ReadAsync(HttpResponseMessage answer) => Parse(await answer.Content.ReadAsStringAsync());

    private static InspectionReport Parse(string body) => JsonSerializer.Deserialize(body, InspectionJson.Default.InspectionReport)!;
}
