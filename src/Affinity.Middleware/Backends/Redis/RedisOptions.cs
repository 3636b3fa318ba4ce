using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>Redis, or a server that speaks its protocol and runs Lua: section <c>Affinity:Redis</c>.</summary>
public sealed class RedisOptions
{
    private const int LongestNameInPrefix = 50;

    /// <summary>
    /// How to reach it, in the form of StackExchange.Redis: <c>host:6379,password=…,ssl=true</c>. Null (the default): <c>ConnectionStrings:redis</c>. Never logged.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// What every key of this app begins with; two apps that share a server need different ones, or they count each other's nodes as their own. 1 to 64 printable ASCII
    /// characters without spaces and braces (braces would pin all keys to one slot of a cluster). Null (the default): <c>affinity:</c>, the application's name and a colon.
    /// </summary>
    public string? KeyPrefix { get; set; }

    /// <summary>
    /// The list that holds the Data Protection keys, without prefix: the layout of the framework's own package, so that both can share it.
    /// <c>DataProtection-Keys</c> by default.
    /// </summary>
    public string DataProtectionKey { get; set; } = "DataProtection-Keys";

    /// <summary>How long one try to connect may take. 100 ms to 1 minute; 1 second by default.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Which servers the connection string names, without anything else that it says; empty without one.</summary>
    internal string Servers => Configuration is { Length: > 0 } configuration
        ? string.Join(' ', ConfigurationOptions.Parse(configuration).EndPoints.Select(server => server.ToString()).Order(StringComparer.OrdinalIgnoreCase))
        : "";

    /// <summary>The prefix that an application has by default; of its hash where the name itself cannot be one.</summary>
    internal static string PrefixOf(string application) =>
        $"affinity:{(RedisOptionsValidator.IsKeyPart(application, LongestNameInPrefix) ? application : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(application)).AsSpan(..8)))}:";
}
