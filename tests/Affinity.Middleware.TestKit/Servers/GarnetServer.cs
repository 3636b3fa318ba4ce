using System.Globalization;

namespace Affinity.TestKit;

/// <summary>A real Garnet, from the repository's tool manifest, with Lua and the small memory of the sample.</summary>
public sealed class GarnetServer : RedisProtocolServer
{
    private GarnetServer(RedisServerOptions options)
        : base(options)
    {
    }

    /// <summary>Starts a server and waits until it answers PING.</summary>
    public static Task<GarnetServer> StartAsync(RedisServerOptions? options = null) => StartAsync(new GarnetServer(options ?? new()));

    private protected override ServerStart Describe() => new()
    {
        FileName = "dotnet",
        Arguments =
        [
            "--roll-forward", "Major", Requirements.PathOf(Needs.Garnet),
            "--port", Port.ToString(CultureInfo.InvariantCulture),
            "--bind", "127.0.0.1",
            "--lua", "--lua-transaction-mode",
            "--memory", "256m",
            "--index", "32m",
            "--commandstats-monitor",
            "--enable-debug-command", "local",
            "--logdir", DataDirectory,
            "--checkpointdir", DataDirectory,
            .. Options.AppendOnly ? (string[])["--aof", "--aof-commit-wait", "--recover"] : [],
            .. Options.ExtraArguments,
        ],
        Environment = QuietRuntime.Environment,
    };
}
