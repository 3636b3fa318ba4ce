using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Affinity.Tests.Documentation.Snippets;

/// <summary>What the documents show of an app's start. A test holds each region and its block in the documents to the same text.</summary>
internal static class HostingSnippets
{
    public static WebApplicationBuilder OneLine(string[] args)
    {
        // snippet: one line
        var builder = WebApplication.CreateBuilder(args);
        builder.AddAffinity();
        // end
        return builder;
    }

    public static void Configure(WebApplicationBuilder builder)
    {
        // snippet: configuration in code
        builder.AddAffinity(options =>
        {
            options.Application = "shop";
            options.Secrets.Add(builder.Configuration["ShopSecret"]!);
            options.Node.ResponseHeader = "X-Affinity-Node";
            options.Sessions.IdleTimeout = TimeSpan.FromHours(2);
            options.Drain.Notice = TimeSpan.FromSeconds(5);
        });
        // end
    }

    public static WebApplication Place(WebApplicationBuilder builder)
    {
        // snippet: placed by hand
        var app = builder.Build();
        app.UseForwardedHeaders();
        app.UseAffinity();
        // end
        return app;
    }

    public static WebApplication MapForOperators(WebApplicationBuilder builder)
    {
        // snippet: status and commands for operators
        builder.Services.AddAuthorization(options => options.AddPolicy("operators", policy => policy.RequireRole("operator")));
        var app = builder.Build();
        app.MapAffinity("operators");
        // end
        return app;
    }

    public static void DrainLonger(WebApplicationBuilder builder)
    {
        // snippet: a longer drain
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMinutes(2));
        builder.AddAffinity(options => options.Drain.Timeout = TimeSpan.FromSeconds(90));
        // end
    }

    public static void ComeFromAddSession(WebApplicationBuilder builder, IDistributedCache cache)
    {
        // snippet: from AddSession to Affinity
        builder.Services.AddSingleton<IDistributedCache>(cache); // what the app calls today: AddStackExchangeRedisCache, AddDistributedSqlServerCache or another
        builder.AddAffinity();                                   // in place of builder.Services.AddSession() and app.UseSession()
        // end
    }
}
