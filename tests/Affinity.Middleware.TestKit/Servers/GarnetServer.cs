using System.Globalization;

namespace Affinity.TestKit;

/// <summary>A real Garnet, from the repository's tool manifest, with Lua and the small memory of the sample.</summary>
public sealed class GarnetServer : RedisProtocolServer
{
    // The default device needs libaio under a name that not every distribution gives it, and fails at the first write.
    private static readonly string[] DurableArguments = ["--aof", "--aof-commit-wait", "--recover", "--device-type", "FileStream"];

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
            "--checkpointdir", DataDirectory,
            .. Options.AppendOnly ? DurableArguments : (string[])[],
            .. Options.ExtraArguments,
        ],
        Environment = QuietRuntime.Environment,
    };
}
