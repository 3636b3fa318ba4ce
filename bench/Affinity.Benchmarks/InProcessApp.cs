using Affinity.TestKit;
using Microsoft.AspNetCore.Hosting.Server;

namespace Affinity.Benchmarks;

/// <summary>An app behind a server that is nothing but method calls. One request at a time.</summary>
internal sealed class InProcessApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly BareServer _server;

    private InProcessApp(WebApplication app, BareServer server) => (_app, _server) = (app, server);

    public int ItemsRead { get; private set; }

    /// <summary>As the browser sends them back.</summary>
    public string CookiesOfLastAnswer => _server.Cookies;

    public static async Task<InProcessApp> StartAsync(bool hasAffinity)
    {
        var server = new BareServer();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IServer>(server);
        if (hasAffinity)
        {
            // No connection string: the store is memory, and the near cache stands in front of it all the same.
            builder.AddAffinity(options => options.Sessions.NearCache.MaxAge = TimeSpan.FromMinutes(1));
        }

        var app = new InProcessApp(builder.Build(), server);
        var value = new byte[1_024];
        app._app.Run(context =>
        {
            switch (context.Request.Path.Value)
            {
                case "/read":
                    app.ItemsRead += context.Session.TryGetValue("value", out _) ? 1 : 0;
                    break;
                case "/write":
                    context.Session.Set("value", value);
                    break;
            }

            return Task.CompletedTask;
        });
        await app._app.StartAsync();
        return app;
    }

    public Task SendAsync(string path, string cookies) => _server.GetAsync(path, cookies);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
