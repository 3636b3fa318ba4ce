using System.Security.Cryptography;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.Tests.Hosting;

/// <summary>What the whole pipeline costs a request in memory, beside the same app without it.</summary>
public sealed class RequestAllocationTests(ITestOutputHelper output)
{
    private const int Requests = 5_000;
    private const int ValueBytes = 1024;

#if DEBUG
    // The debug compiler makes a class of each async method's state.
    private const int StateMachines = 150;
#else
    private const int StateMachines = 0;
#endif

    [Theory]
    [InlineData("an anonymous request", "/untouched", false, 300)]
    [InlineData("a visitor's request that does not use the session", "/untouched", true, 300)]
    [InlineData("a read of 1 KB, with the copy that the app is handed", "/read", true, 1536)]
    public async Task A_request_that_asks_no_store_allocates_little_beyond_the_app(string what, string path, bool isVisitor, long bound)
    {
        var plain = await MeasureAsync(_ => { }, path, isVisitor: false);
        var all = await MeasureAsync(builder => builder.AddAffinity(options => options.Secrets.Add(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))), path, isVisitor);

        output.WriteLine($"{what}: {all - plain} bytes more than the {plain} of the app alone");
        Assert.InRange(all - plain, 0, bound + StateMachines);
    }

    private static async Task<long> MeasureAsync(Action<WebApplicationBuilder> add, string path, bool isVisitor)
    {
        using var server = new BareServer();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IServer>(server);
        add(builder);
        await using var app = builder.Build();
        app.Run(async context =>
        {
            if (context.Features.Get<Microsoft.AspNetCore.Http.Features.ISessionFeature>()?.Session is { } session)
            {
                Use(session, context.Request.Path);
            }

            await context.Response.StartAsync();
        });
        await app.StartAsync();
        await server.GetAsync("/write", "");
        var cookies = isVisitor ? server.Cookies : "";

        await RunAsync(server, path, cookies);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var running = RunAsync(server, path, cookies);

        // Else another thread has gone on, whose bytes are not counted.
        Assert.True(running.IsCompletedSuccessfully);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
    }

    private static void Use(ISession session, string path)
    {
        switch (path)
        {
            case "/write":
                session.Set("value", new byte[ValueBytes]);
                break;
            case "/read":
                Assert.True(session.TryGetValue("value", out _));
                break;
        }
    }

    private static async Task RunAsync(BareServer server, string path, string cookies)
    {
        for (var i = 0; i < Requests; i++)
        {
            await server.GetAsync(path, cookies);
        }
    }
}
