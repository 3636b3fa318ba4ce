using Affinity.TestKit;
using Microsoft.Extensions.Caching.Distributed;

// One app, four ways to keep a session: nothing at all, the framework's session in process or in Redis, Affinity.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
var mode = builder.Configuration["Mode"];
switch (mode)
{
    case "noop":
        break;
    case "memory":
        builder.Services.AddDistributedMemoryCache().AddSession();
        break;
    case "framework":
        builder.Services.AddSingleton<IDistributedCache>(new RedisCacheCommands(builder.Configuration.GetConnectionString("redis")!)).AddSession();
        break;
    case "affinity":
        if (builder.Configuration["Affinity:Store"] is "Distributed")
        {
            builder.Services.AddSingleton<IDistributedCache>(new RedisCacheCommands(builder.Configuration.GetConnectionString("redis")!));
        }

        builder.AddAffinity();
        break;
    default:
        throw new InvalidOperationException("Mode must be noop, memory, framework or affinity.");
}

var app = builder.Build();
if (mode is "memory" or "framework")
{
    app.UseSession();
}

var hasSession = mode is not "noop";
var value = new byte[int.Parse(builder.Configuration["Bytes"] ?? "1024", System.Globalization.CultureInfo.InvariantCulture)];
app.MapGet("/untouched", () => "ok");
app.MapGet("/read", async (HttpContext context) =>
{
    if (hasSession)
    {
        // Free with Affinity; without it the framework's session blocks a thread.
        await context.Session.LoadAsync();
        _ = context.Session.Get("value");
    }

    return "ok";
});
app.MapGet("/write", async (HttpContext context) =>
{
    if (hasSession)
    {
        await context.Session.LoadAsync();
        context.Session.Set("value", value);
    }

    return "ok";
});

// Not measured: whether what is measured is what is meant, and what sessions cost in memory.
app.MapGet("/check", async (HttpContext context) =>
{
    await context.Session.LoadAsync();
    return context.Session.Get("value") is { } found && found.Length == value.Length ? "found" : "lost";
});
app.MapGet("/heap", () =>
{
    GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
    return GC.GetTotalMemory(forceFullCollection: true).ToString(System.Globalization.CultureInfo.InvariantCulture);
});
await app.RunAsync();
