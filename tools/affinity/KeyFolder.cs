using Affinity.Backends.Memory;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Tool;

/// <summary>Data Protection keys in files, which are read and never written.</summary>
internal sealed class KeyFolder : IDisposable
{
    private readonly ServiceProvider _services;

    public KeyFolder(string folder, string application)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IKeyVault, MemoryKeyVault>();
        services.AddSharedDataProtection(_ => application, _ => false);
        services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(folder)).DisableAutomaticKeyGeneration();
        _services = services.BuildServiceProvider();
        Seal = ActivatorUtilities.CreateInstance<TicketSeal>(_services, new TicketScope(application, []), new TicketOptions());
    }

    public TicketSeal Seal { get; }

    public void Dispose() => _services.Dispose();
}
