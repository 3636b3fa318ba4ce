using System.Xml.Linq;
using Affinity.Backends.Directory;
using Affinity.Backends.Memory;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Tool;

/// <summary>Data Protection keys in files, as the framework or <c>Affinity:KeyDirectory</c> lays them; they are read and never written.</summary>
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
        var protection = services.AddDataProtection().DisableAutomaticKeyGeneration();
        if (Directory.EnumerateDirectories(folder, KeyRefreshService.DataProtectionRing + "-*").Any())
        {
            services.Configure<KeyManagementOptions>(options => options.XmlRepository = new Ring(new DirectoryKeyVault(folder, TimeProvider.System)));
        }
        else
        {
            protection.PersistKeysToFileSystem(new DirectoryInfo(folder));
        }

        _services = services.BuildServiceProvider();
        Seal = ActivatorUtilities.CreateInstance<TicketSeal>(_services, new TicketScope(application, []), new TicketOptions());
    }

    public TicketSeal Seal { get; }

    public void Dispose() => _services.Dispose();

    private sealed class Ring(DirectoryKeyVault vault) : IXmlRepository
    {
        public IReadOnlyCollection<XElement> GetAllElements() =>
            [.. vault.ReadAsync(KeyRefreshService.DataProtectionRing, CancellationToken.None).AsTask().GetAwaiter().GetResult()
                .Select(KeyElements.TryParse).OfType<XElement>().DistinctBy(element => KeyElements.KeyIdOf(element) ?? Guid.NewGuid())];

        public void StoreElement(XElement element, string friendlyName) => throw new NotSupportedException("The keys are only read.");
    }
}
