using System.Net;
using Affinity.Backends.Memory;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.Journaling;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>Apps whose sessions ride in cookies. They share a secret, Data Protection keys and a clock; the store that stands by is asked only where there is a floor.</summary>
internal sealed class CookieFarm
{
    public const string Cookie = JournalFarm.Cookie;

    private readonly JournalFarm _farm = new();

    public ManualTime Time => _farm.Time;

    public LogLines Log => _farm.Log;

    public Task<PipelineApp> StartAsync(Action<AffinityOptions>? configure = null, IDataProtectionProvider? protection = null, Action<WebApplication>? map = null, TempDirectory? keys = null) => _farm.StartAsync(
        options =>
        {
            options.Sessions.Carrier = SessionCarrier.Cookie;

            // Nobody moves the clock while an app stops.
            options.Drain.Notice = TimeSpan.Zero;
            configure?.Invoke(options);
        },
        protection,
        map,
        builder =>
        {
            UseMemory(builder);
            ShareKeys(builder, keys);
        });

    public Task<PipelineApp> StartWithFloorAsync() => StartAsync(
        options =>
        {
            options.Redis.Configuration = "localhost:1"; // which nobody asks
            options.Sessions.Cookie.Floor = ReplayFloor.Store;

            // With a store its key vault is asked about keys that it does not hold, by a clock that stands still.
            options.Sessions.Cookie.Protection = ContentProtection.Sign;
        });

    public Task<PipelineApp> StartWithStoreAsync() => _farm.StartAsync();

    public Task StopAsync() => _farm.StopAsync();

    /// <summary>The framework's own Data Protection, which tells what is damaged from what it has no key for.</summary>
    private static void ShareKeys(WebApplicationBuilder builder, TempDirectory? keys)
    {
        if (keys is not null)
        {
            builder.Services.RemoveAll<IDataProtectionProvider>();
            builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(keys.Path));
        }
    }

    private static void UseMemory(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<INodeDirectory>(provider => provider.GetRequiredService<MemoryNodeDirectory>());
        builder.Services.AddSingleton<IKeyVault>(provider => provider.GetRequiredService<MemoryKeyVault>());
        builder.Services.AddSingleton<ISessionAnnouncements>(provider => provider.GetRequiredService<MemorySessionStore>());
    }
}

/// <summary>What the tests do with a node's tickets.</summary>
internal static class CookieNode
{
    public static Ticket Held(this PipelineApp node, Visitor visitor)
    {
        var header = visitor.Cookies.HeaderFor(node.Address)!;
        var texts = TicketTexts.Read(header, CookieFarm.Cookie);
        Assert.Equal(1, texts.Count);
        return node.Services.GetRequiredService<TicketCodec>().Decode(texts[0], node.Services.GetRequiredService<ISigningKeys>()).Ticket!;
    }

    public static string Sign(this PipelineApp node, Ticket ticket) =>
        node.Services.GetRequiredService<TicketCodec>().Encode(ticket, node.Services.GetRequiredService<ISigningKeys>().Current!);

    public static async Task PostedAsync(this Visitor visitor, PipelineApp node, string path) => Assert.Equal(HttpStatusCode.OK, await visitor.StatusOfPostAsync(node, path));
}
