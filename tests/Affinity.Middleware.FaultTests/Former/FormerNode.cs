using System.Globalization;
using System.Text;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Affinity.FaultTests.Former;

/// <summary>
/// A node of the former release beside those of this one: it answers as <see cref="HistoryProbe"/> does, on the same sessions, and knows format 1 only. It remembers nothing and begins no session: a visitor whose ticket
/// or record it cannot read gets 503, and shows that this release has not kept to what the former one understands.
/// </summary>
internal sealed class FormerNode : IAsyncDisposable
{
    private const string Cookie = "__Host-affinity";
    private static readonly string Application = typeof(SessionProbe).Assembly.GetName().Name!;
    private readonly WebApplication _app;
    private readonly FormerStore _store;
    private readonly string _secret;

    private FormerNode(ProbeFarm farm)
    {
        Address = new Uri($"http://127.0.0.1:{LoopbackPort.Next()}/");
        (_store, _secret) = (new FormerStore(farm.Redis, $"affinity:{Application}:"), farm.Secret);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(Address.GetLeftPart(UriPartial.Authority));
        _app = builder.Build();
        _app.MapGet("/history", context => AnswerAsync(context, change: null));
        _app.MapPost("/history/set/{key}/{value}", context => AnswerAsync(context, items => items[Route(context, "key")] = Encoding.UTF8.GetBytes(Route(context, "value"))));
        _app.MapPost("/history/add/{key}", context => AnswerAsync(context, items =>
        {
            var old = items.TryGetValue(Route(context, "key"), out var bytes) ? int.Parse(bytes, CultureInfo.InvariantCulture) : 0;
            items[Route(context, "key")] = Encoding.UTF8.GetBytes((old + 1).ToString(CultureInfo.InvariantCulture));
        }));
    }

    public Uri Address { get; }

    public static async Task<FormerNode> StartAsync(ProbeFarm farm)
    {
        var node = new FormerNode(farm);
        await node._app.StartAsync();
        return node;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, Action<Dictionary<string, byte[]>>? change)
    {
        var cookie = context.Request.Headers.Cookie.ToString().Split("; ").SingleOrDefault(pair => pair.StartsWith(Cookie + "=", StringComparison.Ordinal));
        if (cookie is null
            || FormerFormat.Open(cookie[(Cookie.Length + 1)..], Application, Cookie, _secret) is not { } ticket
            || await _store.LoadAsync(ticket) is not { } stored)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        var items = new Dictionary<string, byte[]>(stored.Content.Items, StringComparer.Ordinal);
        var version = stored.Ticket;
        if (change is not null)
        {
            change(items);
            if (await _store.SaveAsync(stored.Ticket, stored.Content with { Items = items }) is not { } saved)
            {
                context.Response.StatusCode = StatusCodes.Status409Conflict;
                return;
            }

            version = saved;
            context.Response.Headers.SetCookie = $"{Cookie}={FormerFormat.Seal(saved, Application, Cookie, _secret, DateTimeOffset.UtcNow)}; Path=/; Secure; HttpOnly; SameSite=Lax";
        }

        var lost = stored.Ticket.Counter < ticket.Counter || (stored.Ticket.Counter == ticket.Counter && stored.Ticket.Stamp != ticket.Stamp);
        await context.Response.WriteAsJsonAsync(new HistoryAnswer(
            "former", version.Version, "Reachable", lost, items.ToDictionary(item => item.Key, item => Encoding.UTF8.GetString(item.Value), StringComparer.Ordinal)));
    }

    private static string Route(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;
}
