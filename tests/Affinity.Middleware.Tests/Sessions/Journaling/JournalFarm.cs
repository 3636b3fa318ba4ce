using System.Net;
using System.Security.Claims;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>Apps that share a store, a secret and the Data Protection keys; each loses the store by itself.</summary>
internal sealed class JournalFarm
{
    public const string Cookie = "__Host-affinity";

    private readonly List<PipelineApp> _nodes = [];
    private readonly string _secret = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    private readonly EphemeralDataProtectionProvider _protection = new();

    public PipelineApp.SharedBackend Backend { get; } = new();

    public ManualTime Time => Backend.Time;

    public LogLines Log { get; } = new();

    public async Task<PipelineApp> StartAsync(
        Action<AffinityOptions>? configure = null, IDataProtectionProvider? protection = null, Action<WebApplication>? map = null, Action<WebApplicationBuilder>? build = null)
    {
        var node = await PipelineApp.StartAsync(
            app =>
            {
                Map(app);
                map?.Invoke(app);
            },
            options =>
            {
                options.Secrets.Add(_secret);
                options.Application = "shop";
                configure?.Invoke(options);
            },
            builder =>
            {
                builder.Logging.AddProvider(Log);
                builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
                builder.Services.AddSingleton(protection ?? _protection);
                build?.Invoke(builder);
            },
            Backend);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Time enough for a breaker to let one call through, and for what a node remembers to be too old to answer by itself.</summary>
    public void Heal(params PipelineApp[] nodes)
    {
        foreach (var node in nodes)
        {
            node.Store.Heal();
            node.Store.AfterWrite = (_, _) => ValueTask.CompletedTask;
        }

        Time.Advance(TimeSpan.FromSeconds(6));
    }

    public async Task StopAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/untouched", () => "ok");
        app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) is { } value ? Results.Text(value) : Results.NotFound());
        app.MapGet("/keys", (HttpContext context) => string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/told", (HttpContext context) => Told(context));
        app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            return "saved";
        });
        app.MapPost("/big/{key}/{bytes:int}", (HttpContext context, string key, int bytes) => context.Session.Set(key, new byte[bytes]));
        app.MapPost("/remove/{key}", (HttpContext context, string key) => context.Session.Remove(key));
        app.MapPost("/clear", (HttpContext context) => context.Session.Clear());
        app.MapPost("/add/{key}", (HttpContext context, string key) => context.Session.Update<int>(key, old => old + 1).ToString(System.Globalization.CultureInfo.InvariantCulture));
        app.MapPost("/throw/{key}/{value}", string (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            throw new InvalidOperationException("on purpose");
        });
        app.MapPost("/commit-twice/{key}", async (HttpContext context, string key) =>
        {
            context.Session.SetString(key, "1");
            await context.Session.CommitAsync();
            context.Session.SetString(key, "2");
            await context.Session.CommitAsync();
            return $"{context.Session.GetString(key)} {Told(context)}";
        });
        app.MapPost("/sign-in", (HttpContext context) => context.SignInAsync(
            new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "Ann")], CookieAuthenticationDefaults.AuthenticationScheme))));
        app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
        app.MapPost("/abandon", (HttpContext context) => context.Session.AbandonAsync());
    }

    private static string Told(HttpContext context)
    {
        var affinity = context.GetAffinity();
        return $"{affinity.Origin} {affinity.Store} lost:{affinity.LostWrites} available:{context.Session.IsAvailable}";
    }
}

/// <summary>What the tests ask of a visitor.</summary>
internal static class JournalVisitor
{
    public static async Task<HttpStatusCode> StatusOfPostAsync(this Visitor visitor, PipelineApp node, string path)
    {
        using var response = await visitor.PostAsync(node.Address, path);
        return response.StatusCode;
    }

    public static async Task<HttpStatusCode> StatusOfGetAsync(this Visitor visitor, PipelineApp node, string path)
    {
        using var response = await visitor.GetAsync(node.Address, path);
        return response.StatusCode;
    }

    public static Task<string> ReadAsync(this Visitor visitor, PipelineApp node, string path) => visitor.GetStringAsync(node.Address, path);
}
