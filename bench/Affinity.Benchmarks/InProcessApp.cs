using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.Benchmarks;

/// <summary>An app behind a server that is nothing but method calls. It keeps what Kestrel keeps from request to request, so that what is allocated is the app's and the middleware's. One request at a time.</summary>
internal sealed class InProcessApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CallServer _server;

    private InProcessApp(WebApplication app, CallServer server) => (_app, _server) = (app, server);

    public int ItemsRead { get; private set; }

    /// <summary>As the browser sends them back.</summary>
    public string CookiesOfLastAnswer => string.Join("; ", _server.Request.ResponseHeaders.SetCookie.Select(line => line!.Split(';')[0]));

    public static async Task<InProcessApp> StartAsync(bool hasAffinity)
    {
        var server = new CallServer();
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

    public Task SendAsync(string path, string cookies) => _server.SendAsync(path, cookies);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private sealed class CallServer : IServer
    {
        private Func<IFeatureCollection, Task> _process = _ => throw new InvalidOperationException("Not started.");

        public InProcessRequest Request { get; } = new();

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull
        {
            _process = async features =>
            {
                var context = application.CreateContext(features);
                await application.ProcessRequestAsync(context);
                await Request.FireOnStartingAsync();
                await Request.FireOnCompletedAsync();
                application.DisposeContext(context, exception: null);
            };
            return Task.CompletedTask;
        }

        public Task SendAsync(string path, string cookies)
        {
            Request.Reset(path, cookies);
            return _process(Request);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
