using System.Globalization;
using System.Text.Json.Serialization;

namespace Affinity.TestKit.ProbeApp;

/// <summary>Endpoints for whoever keeps a history: each answers with everything that it knows, after what it changed has been saved.</summary>
public static class HistoryProbe
{
    /// <summary>The paths.</summary>
    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/history", (HttpContext context) => Results.Json(HistoryAnswer.Of(context)));

        // Saved as usual: with the first byte of the response.
        app.MapPost("/history/set/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Response.ContentType = "application/json";
            await context.Response.StartAsync();
            await System.Text.Json.JsonSerializer.SerializeAsync(context.Response.Body, HistoryAnswer.Of(context));
        });

        // Saved by the handler.
        app.MapPost("/history/add/{key}", async (HttpContext context, string key) =>
        {
            context.Session.Update<int>(key, old => old + 1);
            await context.Session.CommitAsync();
            return Results.Json(HistoryAnswer.Of(context));
        });

        // Saved, and then held: whoever dies here has saved and not answered.
        app.MapPost("/history/committed/{key}/{value}/{gate}", async (HttpContext context, string key, string value, string gate) =>
        {
            context.Session.SetString(key, value);
            await context.Session.CommitAsync();
            await SessionProbe.PassAsync(gate);
            return Results.Json(HistoryAnswer.Of(context));
        });
    }
}

/// <summary>What <see cref="HistoryProbe"/> answers.</summary>
/// <param name="Node">Who answers.</param>
/// <param name="Version">The version of the session, after a save.</param>
/// <param name="Store">Whether the store was asked and answered.</param>
/// <param name="Lost">Whether something of the visitor's was lost.</param>
/// <param name="Items">Everything in the session.</param>
public sealed record HistoryAnswer(
    [property: JsonPropertyName("node")] string Node,
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("store")] string Store,
    [property: JsonPropertyName("lost")] bool Lost,
    [property: JsonPropertyName("items")] IReadOnlyDictionary<string, string> Items)
{
    internal static HistoryAnswer Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var affinity = context.GetAffinity();
        return new HistoryAnswer(
            affinity.Node,
            affinity.Version.Counter.ToString(CultureInfo.InvariantCulture),
            affinity.Store.ToString(),
            affinity.LostWrites,
            context.Session.Keys.ToDictionary(key => key, key => context.Session.GetString(key)!, StringComparer.Ordinal));
    }
}
