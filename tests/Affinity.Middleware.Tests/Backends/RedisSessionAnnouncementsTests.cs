using Affinity.Backends.Redis;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class RedisSessionAnnouncementsTests
{
    [Fact]
    public async Task An_app_on_Redis_ends_without_an_exception()
    {
        // The container ended the announcements once per name that it knows them by, and the second time took the process down with exit code 134.
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["ConnectionStrings:redis"] = "127.0.0.1:1,abortConnect=false";
        builder.AddAffinity();
        var app = builder.Build();

        Assert.Same(app.Services.GetRequiredService<RedisSessionAnnouncements>(), app.Services.GetRequiredService<ISessionAnnouncements>());
        await app.DisposeAsync();
    }

    [Fact]
    public void Listening_without_a_server_neither_waits_nor_throws()
    {
        var options = new RedisOptions { Configuration = "127.0.0.1:1" };
        using var announcements = new RedisSessionAnnouncements(new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance), options, new ManualTime(), NullLogger<RedisSessionAnnouncements>.Instance);

        announcements.Listen((_, _) => Assert.Fail("Nobody has announced anything."));
    }
}
