using System.Globalization;

namespace Affinity.TestKit;

/// <summary>A real server of the Redis protocol on a loopback port of its own, with its data in a directory of its own.</summary>
public abstract class RedisProtocolServer : IAsyncDisposable
{
    private static readonly TimeSpan CommandPatience = TimeSpan.FromSeconds(10);

    private readonly TempDirectory _data = new();
    private ServerProcess? _process;
    private Dictionary<string, long> _callsBefore = [];

    private protected RedisProtocolServer(RedisServerOptions options)
    {
        Options = options;
        Port = options.Port == 0 ? LoopbackPort.Next() : options.Port;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The address as client libraries take it: <c>127.0.0.1:port</c>.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>The process that runs now or ran last.</summary>
    public ServerProcess Process => _process ?? throw new InvalidOperationException("The server was not started.");

    private protected RedisServerOptions Options { get; }

    private protected string DataDirectory => _data.Path;

    /// <summary>SIGKILL; when the call returns, the port is free.</summary>
    public void Kill() => Process.Kill();

    /// <summary>SIGSTOP: connections stay, nothing is answered.</summary>
    public void Freeze() => Process.Freeze();

    /// <summary>SIGCONT: ends <see cref="Freeze"/>.</summary>
    public void Thaw() => Process.Thaw();

    /// <summary>Starts the server again on the same port and directory, after a SIGKILL if it still runs.</summary>
    public async Task RestartAsync()
    {
        await Process.DisposeAsync();
        await StartProcessAsync();
    }

    /// <summary>Sends one command over a connection of its own, past the client library under test.</summary>
    /// <exception cref="RespException">The server answered with an error.</exception>
    public async Task<RespReply> CommandAsync(params string[] words)
    {
        using var patience = new CancellationTokenSource(CommandPatience);
        using var client = await RespClient.ConnectAsync(Port, patience.Token);
        return await client.CommandAsync(words, patience.Token);
    }

    /// <summary>
    /// How often each command (lower case) was called since the start or since <see cref="ResetCommandCallsAsync"/>, the kit's own
    /// <c>info</c> included. Redis counts what scripts call too, Garnet does not; <see cref="TcpRelay.Commands"/> counts what came over the wire.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, long>> CommandCallsAsync()
        => (await AllCallsAsync())
            .Select(call => (call.Key, Calls: call.Value - _callsBefore.GetValueOrDefault(call.Key)))
            .Where(call => call.Calls > 0)
            .ToDictionary(call => call.Key, call => call.Calls, StringComparer.Ordinal);

    /// <summary>Lets <see cref="CommandCallsAsync"/> count from here.</summary>
    /// <remarks>By subtraction, because Garnet can't reset these counters. Don't mix it with CONFIG RESETSTAT.</remarks>
    public async Task ResetCommandCallsAsync() => _callsBefore = await AllCallsAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _data.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract ServerStart Describe();

    private protected async Task StartProcessAsync()
    {
        var answersPing = new Readiness("PONG", async (_, cancellation) =>
        {
            using var client = await RespClient.ConnectAsync(Port, cancellation);
            return (await client.CommandAsync(["PING"], cancellation)).Text is "PONG";
        });
        _callsBefore = [];
        _process = await ServerProcess.StartAsync(Describe() with { WorkingDirectory = DataDirectory, Ready = answersPing });
    }

    private protected static async Task<TServer> StartAsync<TServer>(TServer server)
        where TServer : RedisProtocolServer
    {
        try
        {
            await server.StartProcessAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    // cmdstat_config|get:calls=1,usec=…
    private async Task<Dictionary<string, long>> AllCallsAsync()
        => ((await CommandAsync("INFO", "commandstats")).Text ?? "")
            .Split('\n')
            .Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal))
            .Select(line => line["cmdstat_".Length..].Split(":calls=", 2))
            .ToDictionary(parts => parts[0].ToLowerInvariant(), parts => long.Parse(parts[1].Split(',')[0], CultureInfo.InvariantCulture), StringComparer.Ordinal);
}
