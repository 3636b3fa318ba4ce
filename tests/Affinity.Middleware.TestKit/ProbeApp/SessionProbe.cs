using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Affinity.TestKit.ProbeApp;

/// <summary>The least that an app can do with a session, one endpoint per thing, for tests of a farm of real processes.</summary>
public static class SessionProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly ConcurrentDictionary<string, Gate> Gates = new(StringComparer.Ordinal);

    /// <summary>The paths.</summary>
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/untouched", () => "ok");
        app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) is { } value ? Results.Text(value) : Results.NotFound());
        app.MapGet("/loaded/{key}", async (HttpContext context, string key) =>
        {
            await context.Session.LoadAsync();
            return context.Session.GetString(key) is { } value ? Results.Text(value) : Results.NotFound();
        });
        app.MapGet("/keys", (HttpContext context) => Results.Json(context.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/affinity", (HttpContext context) => Results.Json(Known(context)));
        app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return Results.Text("saved");
        });
        app.MapPost("/redirect/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return Results.Redirect("/get/" + key);
        });
        app.MapPost("/flush/{key}/{value}", FlushEarlyAsync);
        app.MapPost("/add/{key}", async (HttpContext context, string key) =>
        {
            context.Session.Update<int>(key, old => old + 1);
            await context.Session.CommitAsync();
            return context.Session.Get<int>(key).ToString(CultureInfo.InvariantCulture);
        });
        app.MapPost("/slow/{key}/{value}/{milliseconds:int}", async (HttpContext context, string key, string value, int milliseconds) =>
        {
            context.Session.SetString(key, value);
            await Task.Delay(milliseconds, CancellationToken.None);
            return Results.Text("saved");
        });
        app.MapPost("/held/{key}/{value}/{gate}", async (HttpContext context, string key, string value, string gate) =>
        {
            context.Session.SetString(key, value);
            await PassAsync(gate);
            return Results.Text("saved");
        });
        app.MapGet("/entered/{gate}", (string gate) => GateOf(gate).Entered.Task.WaitAsync(Patience));
        app.MapPost("/release/{gate}", (string gate) => GateOf(gate).Released.TrySetResult());
        app.MapPost("/abandon", async (HttpContext context) =>
        {
            await context.Session.AbandonAsync();
            return Results.Text("abandoned");
        });
        app.MapPost("/throw/{key}/{value}", IResult (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            throw new InvalidOperationException("The handler fails on purpose.");
        });
    }

    /// <summary>Says that a request has come to the gate, and waits until a test lets it go on.</summary>
    internal static Task PassAsync(string gate)
    {
        GateOf(gate).Entered.TrySetResult();
        return GateOf(gate).Released.Task.WaitAsync(Patience);
    }

    private static Gate GateOf(string name) => Gates.GetOrAdd(name, _ => new Gate());

    /// <summary>The whole answer, of a stated length, is with the client long before the handler returns.</summary>
    private static async Task FlushEarlyAsync(HttpContext context, string key, string value)
    {
        context.Session.SetString(key, value);
        var saved = Encoding.UTF8.GetBytes("saved");
        context.Response.ContentLength = saved.Length;
        await context.Response.Body.WriteAsync(saved);
        await context.Response.Body.FlushAsync();
        await Task.Delay(200);
    }

    private static object Known(HttpContext context)
    {
        var affinity = context.GetAffinity();
        return new
        {
            node = affinity.Node,
            version = affinity.Version.ToString(),
            origin = affinity.Origin.ToString(),
            store = affinity.Store.ToString(),
            lost = affinity.LostWrites,
            available = context.Session.IsAvailable,
        };
    }

    /// <summary>Holds a request inside its handler until a test lets it go on.</summary>
    private sealed class Gate
    {
        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
