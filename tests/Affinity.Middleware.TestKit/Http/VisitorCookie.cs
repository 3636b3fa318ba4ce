namespace Affinity.TestKit;

/// <summary>One cookie as a browser keeps it.</summary>
public sealed record VisitorCookie
{
    /// <summary>The name, compared ordinally.</summary>
    public required string Name { get; init; }

    /// <summary>The value, byte for byte as it came.</summary>
    public required string Value { get; init; }

    /// <summary>The host that set it, or the domain it named. Never a port: browsers don't keep it.</summary>
    public required string Host { get; init; }

    /// <summary>Whether only <see cref="Host"/> itself gets it, and no subdomain.</summary>
    public bool HostOnly { get; init; } = true;

    /// <summary>The path under which it is sent.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Whether it is sent over https only, or to loopback.</summary>
    public bool Secure { get; init; }

    /// <summary>Whether it is kept from scripts.</summary>
    public bool HttpOnly { get; init; }

    /// <summary>The SameSite attribute as it was written; <c>null</c> when there was none.</summary>
    public string? SameSite { get; init; }

    /// <summary>When it ends; <c>null</c> lives until the browser closes.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Of cookies with equally long paths the one that was created first is sent first.</summary>
    internal long Creation { get; init; }
}
