using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.Extensions.Caching.Distributed;

namespace Affinity.TestKit.ProbeApp;

/// <summary>
/// With the setting <c>Probe:Cache</c> = <c>redis</c> an <see cref="IDistributedCache"/> over the connection string of that name, and TempData in the session: <c>/temp/set/{value}</c> and <c>/temp/get</c>.
/// With <c>Probe:Framework</c> = <c>true</c> as well the app keeps its sessions as apps did before: by <c>AddSession</c> over that cache, and without Affinity.
/// </summary>
public static class CacheProbe
{
    /// <summary>Whether the app is one from before.</summary>
    public static bool IsFramework(IConfiguration configuration) => configuration.GetValue<bool>("Probe:Framework");

    /// <summary>The services; before the app is built.</summary>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration["Probe:Cache"] is { } name)
        {
            services.AddSingleton<IDistributedCache>(new RedisCacheCommands(configuration.GetConnectionString(name)!));
            services.AddControllersWithViews().AddSessionStateTempDataProvider();
        }
    }

    /// <summary>The services of an app from before.</summary>
    public static void AddFramework(IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddSession();
        services.AddDataProtection().SetApplicationName(configuration["Affinity:Application"]!);
        ShareKeys(services, configuration);
    }

    /// <summary>With <c>Probe:Keys</c> the app's own storage of Data Protection keys is that directory, as it was before Affinity.</summary>
    public static void ShareKeys(IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration["Probe:Keys"] is { } directory)
        {
            services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(directory));
        }
    }

    /// <summary>The paths.</summary>
    public static void Map(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.Configuration["Probe:Cache"] is null)
        {
            return;
        }

        app.MapPost("/temp/set/{value}", (HttpContext context, ITempDataDictionaryFactory temp, string value) =>
        {
            var data = temp.GetTempData(context);
            data["told"] = value;
            data.Save();
            return "saved";
        });
        app.MapPost("/temp/get", (HttpContext context, ITempDataDictionaryFactory temp) =>
        {
            var data = temp.GetTempData(context);
            var value = data["told"] as string ?? "nothing";
            data.Save();
            return value;
        });
    }
}
