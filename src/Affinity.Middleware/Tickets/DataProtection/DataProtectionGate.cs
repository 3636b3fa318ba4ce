using System.Reflection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Hosting;

namespace Affinity.Tickets;

/// <summary>Refuses to start on the versions of Data Protection that accept forged payloads (CVE-2026-40372: the MAC was not checked).</summary>
internal sealed class DataProtectionGate : IHostedLifecycleService
{
    private static readonly Version FirstBad = new(10, 0, 0);
    private static readonly Version FirstGood = new(10, 0, 7);

    /// <summary>What is wrong with a version, and the cure; null when nothing is.</summary>
    public static string? Refusal(Version version)
    {
        var release = new Version(version.Major, version.Minor, Math.Max(version.Build, 0));
        return release >= FirstBad && release < FirstGood
            ? $"Microsoft.AspNetCore.DataProtection {release} does not check the MAC of protected payloads (CVE-2026-40372): anybody can forge authentication cookies and tokens. "
              + $"Install the ASP.NET Core runtime {FirstGood} or later (or reference Microsoft.AspNetCore.DataProtection {FirstGood} or later); then revoke the keys that were in use."
            : null;
    }

    /// <summary>The version of an assembly's package, as its informational version tells it (<c>10.0.12+commit</c>, <c>10.0.0-rc.1</c>).</summary>
    public static Version VersionOf(Assembly assembly)
    {
        var text = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        var end = text.AsSpan().IndexOfAny('+', '-');
        return Version.TryParse(end < 0 ? text : text[..end], out var version) ? version : assembly.GetName().Version ?? new Version(0, 0);
    }

    public Task StartingAsync(CancellationToken cancellationToken) =>
        Refusal(VersionOf(typeof(KeyManagementOptions).Assembly)) is { } refusal ? throw new InvalidOperationException(refusal) : Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
