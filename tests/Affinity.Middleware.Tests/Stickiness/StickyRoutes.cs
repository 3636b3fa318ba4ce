using System.Text;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Affinity.Tests.Stickiness;

/// <summary>The ways in which an app answers.</summary>
internal static class StickyRoutes
{
    public static void Map(WebApplication app, RunCount runs)
    {
        app.UseExceptionHandler(handler => handler.Run(context => context.Response.WriteAsync("sorry")));
        app.Use((context, next) =>
        {
            runs.Add();
            return next(context);
        });
        app.MapGet("/page", () => "page");
        app.MapGet("/get", (HttpContext context) => context.Session.GetString("x") ?? "nothing");
        app.MapGet("/who", WhoAsync);
        app.MapPost("/cookie", (HttpContext context, string line) => context.Response.Headers.Append("Set-Cookie", line));
        app.MapPost("/abandon", (HttpContext context) => context.Session.AbandonAsync());
        app.MapPost("/begin-and-abandon", (HttpContext context) =>
        {
            Begin(context);
            return context.Session.AbandonAsync();
        });
        MapBeginnings(app);
    }

    /// <summary>A session begins, and the response starts in this way or that.</summary>
    private static void MapBeginnings(WebApplication app)
    {
        app.MapPost("/set", (HttpContext context) => Begin(context));
        app.MapMethods("/set", ["HEAD"], (HttpContext context) => Begin(context));
        app.MapPost("/redirect", (HttpContext context) =>
        {
            Begin(context);
            return Results.Redirect("/get");
        });
        app.MapPost("/not-modified", (HttpContext context) =>
        {
            Begin(context);
            return Results.StatusCode(StatusCodes.Status304NotModified);
        });
        app.MapPost("/cacheable", (HttpContext context) =>
        {
            Begin(context);
            context.Response.Headers.CacheControl = "public, max-age=600";
        });
        app.MapPost("/flush", async (HttpContext context) =>
        {
            Begin(context);
            context.Response.ContentLength = 5;
            await context.Response.Body.WriteAsync("saved"u8.ToArray());
            await context.Response.Body.FlushAsync();
        });
        app.MapPost("/stream", async (HttpContext context) =>
        {
            Begin(context);
            for (var i = 0; i < 3; i++)
            {
                await context.Response.Body.WriteAsync("chunk"u8.ToArray());
                await context.Response.Body.FlushAsync();
            }
        });
        app.MapPost("/throw", void (HttpContext context) =>
        {
            Begin(context);
            throw new InvalidOperationException("The handler fails on purpose.");
        });
    }

    private static void Begin(HttpContext context) => context.Session.SetString("x", "1");

    /// <summary>Whose the visitor is, why, and on which track: before the response has started, and after.</summary>
    private static async Task WhoAsync(HttpContext context)
    {
        var before = Known(context);
        await context.Response.StartAsync();
        await context.Response.WriteAsync($"{before} > {Known(context)}");
    }

    private static string Known(HttpContext context)
    {
        var affinity = context.GetAffinity();
        return $"{affinity.BoundTo ?? "-"} {affinity.BindingReason ?? "-"} {affinity.Track ?? "-"}";
    }
}

/// <summary>What a visitor got with the last response.</summary>
internal static class StickyVisitor
{
    public const string TicketName = "__Host-affinity";
    public const string BindingName = "__Host-affinity-binding";
    public const string Removal = "AFF=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

    public static string[] RouteLines(this Visitor visitor) => visitor.LinesOf("AFF");

    public static string[] LinesOf(this Visitor visitor, string cookie) => [.. visitor.LastSetCookies.Where(line => line.StartsWith(cookie + "=", StringComparison.Ordinal))];

    /// <summary>The header that sends a browser to a node, without a time.</summary>
    public static string[] RouteTo(string value) => [$"AFF={value}; Path=/; Secure; HttpOnly; SameSite=Lax"];

    /// <summary>A cookie of this path in the browser, past all rules.</summary>
    public static void Forge(this Visitor visitor, string name, string value, string path = "/") =>
        visitor.Cookies.Put(new VisitorCookie { Name = name, Value = value, Host = "127.0.0.1", Path = path, Secure = true });

    /// <summary>POST that must succeed.</summary>
    public static async Task PostOkAsync(this Visitor visitor, StickyNode node, string path)
    {
        using var response = await visitor.PostAsync(node.Address, path);
        response.EnsureSuccessStatusCode();
    }

    public static Task<string> GetOkAsync(this Visitor visitor, StickyNode node, string path = "/page") => visitor.GetStringAsync(node.Address, path);

    /// <summary>A visitor with a session, who is bound to where it began.</summary>
    public static async Task<Visitor> WithSessionAsync(this StickyFarm farm, string node)
    {
        var visitor = farm.NewVisitor();
        await visitor.PostOkAsync(farm[node], "/set");
        return visitor;
    }

    /// <summary>So many responses without any cookie.</summary>
    public static async Task AssertQuietAsync(this Visitor visitor, StickyNode node, int requests = 20)
    {
        for (var i = 0; i < requests; i++)
        {
            await visitor.GetOkAsync(node, i % 2 == 0 ? "/page" : "/get");
            Xunit.Assert.Empty(visitor.LastSetCookies);
        }
    }
}

/// <summary>A request as bytes, for what no client would send.</summary>
internal static class RawRequest
{
    /// <returns>The status, 0 when there was no answer, and the lines of the response's head.</returns>
    public static async Task<(int Status, string[] Head)> GetAsync(Uri address, string cookie)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();

        // Latin-1 maps characters to bytes one to one.
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"GET /page HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var head = (await reader.ReadToEndAsync()).Split("\r\n\r\n")[0].Split("\r\n");
        return (head[0].Split(' ') is [_, var status, ..] ? int.Parse(status) : 0, head);
    }
}
