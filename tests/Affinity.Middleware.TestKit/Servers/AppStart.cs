using System.Net;

namespace Affinity.TestKit;

/// <summary>How to start an ASP.NET Core app as a process of its own.</summary>
public sealed record AppStart
{
    /// <summary>The path of the app's dll.</summary>
    public required string Dll { get; init; }

    /// <summary>Configuration by key, such as <c>Affinity:Node:Id</c>; handed over as environment variables.</summary>
    public IReadOnlyDictionary<string, string?> Configuration { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>Environment variables on top; <c>null</c> removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The path that is asked until the app is ready; <c>null</c> waits only until the port takes a connection.</summary>
    public string? ReadyPath { get; init; } = "/affinity/health/ready";

    /// <summary>The answer that counts as ready.</summary>
    public HttpStatusCode ReadyStatus { get; init; } = HttpStatusCode.OK;

    /// <summary>How long that may take.</summary>
    public TimeSpan ReadyWithin { get; init; } = TimeSpan.FromSeconds(30);
}
