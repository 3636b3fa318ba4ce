using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Sessions;

/// <summary>An app with the whole pipeline on a real Kestrel, a clock that stands still, and a store that fails when told to.</summary>
internal sealed class PipelineApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PipelineApp(WebApplication app, ManualTime time, FaultyStore store) => (_app, Time, Store) = (app, time, store);

    public ManualTime Time { get; }

    public FaultyStore Store { get; }

    public Uri Address => new(_app.Urls.Single());

    public IServiceProvider Services => _app.Services;

    public static async Task<PipelineApp> StartAsync(
        Action<WebApplication> map, Action<AffinityOptions>? configure = null, Action<WebApplicationBuilder>? build = null, SharedBackend? backend = null)
    {
        var time = backend?.Time ?? new ManualTime();
        var store = new FaultyStore(backend?.Store ?? new MemorySessionStore(time));
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddAffinity(configure);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<ISessionStore>(store);
        build?.Invoke(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new PipelineApp(app, time, store);
    }

    /// <summary>What two apps share that are nodes of one farm; announcements are not heard.</summary>
    internal sealed class SharedBackend
    {
        public SharedBackend() => Store = new MemorySessionStore(Time);

        public ManualTime Time { get; } = new();

        public MemorySessionStore Store { get; }
    }

    /// <summary>What a SIGTERM brings about.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
    }
}
