using System.Net;
using System.Net.Sockets;

namespace Affinity.TestKit;

/// <summary>A question that is asked again and again until a started process answers it with yes.</summary>
public sealed class Readiness
{
    private readonly string _name;
    private readonly Func<ServerProcess, CancellationToken, Task<bool>> _ask;

    /// <summary>A readiness of one's own. <paramref name="ask"/> may throw what a connection throws: that counts as no.</summary>
    public Readiness(string name, Func<ServerProcess, CancellationToken, Task<bool>> ask)
    {
        _name = name;
        _ask = ask;
    }

    /// <summary>The process exists.</summary>
    public static Readiness AtOnce { get; } = new("running", (_, _) => Task.FromResult(true));

    /// <summary>The port on 127.0.0.1 takes a connection.</summary>
    public static Readiness Tcp(int port) => new($"a connection to port {port}", async (_, cancellation) =>
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, cancellation);
        return true;
    });

    /// <summary>A line with this text was written to stdout or stderr.</summary>
    public static Readiness Line(string text) => new($"a line with \"{text}\"", (process, _) => Task.FromResult(process.Output.Contains(text)));

    /// <summary>A GET is answered with this status.</summary>
    public static Readiness Http(Uri address, HttpStatusCode status = HttpStatusCode.OK) => new($"{(int)status} from GET {address}", async (_, cancellation) =>
    {
        using var response = await VisitorConnections.Client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return response.StatusCode == status;
    });

    /// <inheritdoc/>
    public override string ToString() => _name;

    internal async Task<bool> AskAsync(ServerProcess process)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            return await _ask(process, patience.Token);
        }
        catch (Exception exception) when (exception is SocketException or IOException or HttpRequestException or OperationCanceledException or RespException)
        {
            return false;
        }
    }
}
