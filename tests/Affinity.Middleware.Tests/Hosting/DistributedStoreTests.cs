using Affinity.Backends.Distributed;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Backends.Distributed;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary><c>Affinity:Store</c> = <c>Distributed</c>: what the app is told at start, and that it works with whatever cache there is.</summary>
public sealed class DistributedStoreTests : IDisposable
{
    private readonly TempDirectory _keys = new();
    private readonly StagedCache _cache = new(TimeProvider.System);
    private readonly LogLines _log = new();

    public void Dispose() => _keys.Dispose();

    [Fact]
    public async Task What_one_app_keeps_the_next_one_reads_over_nothing_but_a_cache_and_a_directory()
    {
        await using var one = await StartAsync(services => services.AddSingleton<IDistributedCache>(_cache), KeyDirectory());
        await using var other = await StartAsync(services => services.AddSingleton<IDistributedCache>(_cache), KeyDirectory());
        var visitor = new Visitor();

        (await visitor.PostAsync(new Uri(one.Urls.Single()), "/set/x/1")).EnsureSuccessStatusCode();

        Assert.Equal("1", await visitor.GetStringAsync(new Uri(other.Urls.Single()), "/get/x"));
        Assert.IsType<DistributedSessionStore>(one.Services.GetRequiredService<ISessionStore>());
        Assert.DoesNotContain(_log.Warnings, line => line.Contains("Distributed", StringComparison.Ordinal) || line.Contains("shared store", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_keys_that_all_share_the_app_does_not_start_and_says_what_to_set()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(services => services.AddSingleton<IDistributedCache>(_cache)));

        Assert.Contains("Affinity:KeyDirectory", Assert.Single(fault.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_cache_the_app_does_not_start_and_says_what_to_register()
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(_ => { }, KeyDirectory()));

        Assert.Contains("registered no IDistributedCache", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cache_that_ends_with_the_process_is_warned_of()
    {
        await using var app = await StartAsync(services => services.AddDistributedMemoryCache(), KeyDirectory());

        Assert.Single(_log.Warnings, line => line.Contains("keeps everything in this process", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Secrets_alone_leave_the_Data_Protection_keys_to_the_app_which_is_warned_if_it_does_nothing()
    {
        await using var app = await StartAsync(services => services.AddSingleton<IDistributedCache>(_cache), ("Affinity:Secrets:0", Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)])));

        Assert.Single(_log.Warnings, line => line.Contains("Data Protection keys lie where the framework puts them", StringComparison.Ordinal));
    }

    private (string Key, string Value) KeyDirectory() => ("Affinity:KeyDirectory", _keys.Path);

    private async Task<WebApplication> StartAsync(Action<IServiceCollection> add, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(_log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([new("Affinity:Store", "Distributed"), .. settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Value))]);
        add(builder.Services);
        builder.AddAffinity();
        var app = builder.Build();
        app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) ?? "nothing");
        app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
        try
        {
            await app.StartAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
