namespace Affinity.TestKit;

/// <summary>How a test wants its <see cref="PostgresServer"/>.</summary>
public sealed record PostgresServerOptions
{
    /// <summary>Whether what is acknowledged is on the disk. Off: quicker, and right as long as no test kills the server; SIGKILL of a process loses nothing of what the kernel has, but a restart trusts its files less.</summary>
    public bool Durable { get; init; }

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Further settings, such as <c>max_connections=20</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];
}
