using System.Security.Claims;
using System.Text.Encodings.Web;
using Affinity.Nodes;
using Affinity.Tests.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity.Tests.Hosting;

/// <summary>Node <c>a</c> of an app that maps the endpoints. It beats once at the start and then only for a command, so a test decides what it has heard of others.</summary>
internal sealed class OperatorApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OperatorApp(WebApplication app, LogLines<NodeCommands> log)
    {
        (_app, Log) = (app, log);
        Client = app.GetTestClient();
    }

    public HttpClient Client { get; }

    public LogLines<NodeCommands> Log { get; }

    public INodeDirectory Directory => _app.Services.GetRequiredService<INodeDirectory>();

    public IServiceProvider Services => _app.Services;

    public NodeMembership Node => _app.Services.GetRequiredService<NodeMembership>();

    /// <param name="map">What the app maps; by default the endpoints, for anybody, as in development.</param>
    /// <param name="build">More services.</param>
    /// <param name="settings">Below the section <c>Affinity</c>.</param>
    public static async Task<OperatorApp> StartAsync(Action<WebApplication>? map = null, Action<WebApplicationBuilder>? build = null, params (string Key, string Value)[] settings)
    {
        var open = map is null;
        var builder = Builder(open ? Environments.Development : Environments.Production, open ? [("Endpoints:AllowAnonymousInDevelopment", "true"), .. settings] : settings);
        var log = new LogLines<NodeCommands>();
        builder.Services.AddSingleton<ILogger<NodeCommands>>(log);
        build?.Invoke(builder);
        var app = builder.Build();
        map ??= app => app.MapAffinity();
        map(app);
        app.MapGet("/", () => "home");
        await app.StartAsync();
        return new(app, log);
    }

    public static WebApplicationBuilder Builder(string environment, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>("Affinity:" + setting.Key, setting.Value)));
        builder.Configuration.AddInMemoryCollection([new("Affinity:Node:Id", "a"), new("Affinity:Node:HeartbeatInterval", "00:01:00"), new("Affinity:Node:DeadAfter", "00:05:00"), new("Affinity:Drain:Notice", "00:00:00"), new("Affinity:Drain:Evacuation", "00:00:00")]);
        builder.WebHost.UseTestServer();
        builder.AddAffinity();
        return builder;
    }

    /// <summary>Who sends the header <c>X-Name</c> is signed in by that name; the policy <c>operators</c> admits one.</summary>
    public static void AddOperators(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication("names").AddScheme<AuthenticationSchemeOptions, NameHeader>("names", configureOptions: null);
        builder.Services.AddAuthorization(o => o.AddPolicy("operators", policy => policy.RequireUserName("operator")));
    }

    /// <summary>Another node, which beats now and then not for an hour.</summary>
    public async Task<NodeBeat> BeatAsync(NodeRecord node) => await Directory.BeatAsync(node, TimeSpan.FromHours(1), CancellationToken.None);

    /// <summary>Node <c>a</c> hears what the directory knows by now.</summary>
    public Task HearAsync() => _app.Services.GetRequiredService<Heartbeat>().BeatAsync(CancellationToken.None);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class NameHeader(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var name = Request.Headers["X-Name"].ToString();
            var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], Scheme.Name));
            return Task.FromResult(name.Length == 0 ? AuthenticateResult.NoResult() : AuthenticateResult.Success(new AuthenticationTicket(user, Scheme.Name)));
        }
    }
}
