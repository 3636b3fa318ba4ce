using System.Globalization;

namespace Affinity.TestKit;

/// <summary>A real redis-server (7 or later: DEBUG is switched on for loopback). No snapshots; an append-only file on request.</summary>
public sealed class RedisServer : RedisProtocolServer
{
    private RedisServer(RedisServerOptions options)
        : base(options)
    {
    }

    /// <summary>Starts a server and waits until it answers PING.</summary>
    public static Task<RedisServer> StartAsync(RedisServerOptions? options = null) => StartAsync(new RedisServer(options ?? new()));

    private protected override ServerStart Describe() => new()
    {
        FileName = Requirements.PathOf(Needs.Redis),
        Arguments =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture),
            "--bind", "127.0.0.1",
            "--dir", DataDirectory,
            "--save", "",
            "--appendonly", Options.AppendOnly ? "yes" : "no",
            "--enable-debug-command", "local",
            .. Options.ExtraArguments,
        ],
    };
}
