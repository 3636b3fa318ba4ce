using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Tickets;

/// <summary>The Data Protection of one node, without its host.</summary>
internal sealed class ProtectionNode : IDisposable
{
    private readonly ServiceProvider _services;

    public ProtectionNode(FakeKeyVault vault, TimeProvider time, Action<IServiceCollection>? app = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        services.AddSingleton<IKeyVault>(vault);
        services.AddSingleton(time);
        services.AddSharedDataProtection(_ => "shop", _ => true);
        app?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public LogLines Log { get; } = new();

    public IServiceProvider Services => _services;

    public IKeyManager Keys => _services.GetRequiredService<IKeyManager>();

    public VaultRing Ring => _services.GetRequiredKeyedService<VaultRing>(KeyRefreshService.DataProtectionRing);

    private IDataProtector Protector => _services.GetRequiredService<IDataProtectionProvider>().CreateProtector("cookies");

    public string Protect(string text) => Protector.Protect(text);

    public string Unprotect(string text) => Protector.Unprotect(text);

    /// <summary>A request that carries a cookie, up to where authentication would stand.</summary>
    public async Task<string> UnprotectInRequestAsync(string text)
    {
        var answer = "";
        var middleware = ActivatorUtilities.CreateInstance<DataProtectionMiddleware>(_services, (RequestDelegate)(_ =>
        {
            answer = Unprotect(text);
            return Task.CompletedTask;
        }));
        var context = new DefaultHttpContext();
        context.Request.Headers.Cookie = $"theme=dark; auth={text}";
        await middleware.InvokeAsync(context);
        return answer;
    }

    public void Dispose()
    {
        _services.Dispose();
        Log.Dispose();
    }
}
