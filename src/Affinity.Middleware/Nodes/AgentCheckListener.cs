using System.Net;
using System.Net.Sockets;
using System.Text;
using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Affinity.Nodes;

/// <summary>
/// Tells one line to whoever connects, and closes: what HAProxy's <c>agent-check</c> expects. What the client sends (<c>agent-send</c>) is not looked at. Nothing that a client does holds up another, or ends it.
/// </summary>
/// <param name="line">What to tell; asked for each connection.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class AgentCheckListener(Func<string> line, TimeProvider time, ILogger logger) : IDisposable
{
    public const int MaxWaiting = 16;
    public const int MaxRead = 1024;

    private const int Backlog = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _end = new();
    private Socket? _listening;
    private Task _accepting = Task.CompletedTask;
    private int _waiting;

    /// <summary>Where it listens; null before <see cref="Start"/>.</summary>
    public EndPoint? EndPoint { get; private set; }

    /// <summary>How many connections are open.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <exception cref="InvalidOperationException">It cannot listen there; the message names the option and the cure.</exception>
    public void Start(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endPoint);
            socket.Listen(Backlog);
        }
        catch (SocketException fault)
        {
            socket.Dispose();
            throw new InvalidOperationException($"The agent-check cannot listen on {endPoint} ({fault.SocketErrorCode}). {CureOf(fault.SocketErrorCode)}", fault);
        }

        _listening = socket;
        EndPoint = socket.LocalEndPoint;
        _accepting = AcceptOnAsync(socket);
    }

    public async Task StopAsync()
    {
        await _end.CancelAsync();
        _listening?.Dispose();
        await _accepting;
    }

    public void Dispose()
    {
        // A host that failed to start is disposed without having been stopped.
        _end.Cancel();
        _listening?.Dispose();
        _end.Dispose();
    }

    private static string CureOf(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "Something else listens there, perhaps another instance on this machine: give this one an Affinity:AgentCheck:Port of its own, the same as agent-port in HAProxy's configuration.",
        SocketError.AddressNotAvailable => "This machine does not have the address: set Affinity:AgentCheck:Address to one that it has and HAProxy reaches, or to 0.0.0.0 for all.",
        SocketError.AccessDenied => "The process may not use this port: set Affinity:AgentCheck:Port to one above 1023.",
        _ => "Check Affinity:AgentCheck:Address and Affinity:AgentCheck:Port.",
    };

    private async Task AcceptOnAsync(Socket socket)
    {
        var told = false;
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await socket.AcceptAsync(_end.Token), _end.Token);
            }
            catch (SocketException fault) when (!_end.IsCancellationRequested)
            {
                // A client that is gone already, or no file descriptor left: that passes, and must not turn into a loop that takes a core.
                if (!told)
                {
                    told = true;
                    logger.AgentCheckNotAccepted(fault);
                }

                await Task.Delay(Pause, time, CancellationToken.None);
            }
            catch (Exception end) when (end is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(Socket client, CancellationToken end)
    {
        using (client)
        {
            var mayWait = Interlocked.Increment(ref _waiting) <= MaxWaiting;
            try
            {
                // Waits for nobody: a line fits into the empty buffer of a new connection.
                await client.SendAsync(Encoding.ASCII.GetBytes(line() + "\n"), end);
                if (mayWait)
                {
                    client.Shutdown(SocketShutdown.Send);
                    await HearOutAsync(client, end);
                }
            }
            catch (Exception gone) when (gone is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The client is gone, or too slow; the next check comes.
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }
    }

    /// <summary>Until the client closes, a second at the most: a connection that is closed with something unread is reset, and with it goes the line that the client has not read yet.</summary>
    private async Task HearOutAsync(Socket client, CancellationToken end)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, end);
        var ignored = new byte[MaxRead];
        int heard;
        for (var rest = MaxRead; rest > 0; rest -= heard)
        {
            heard = await client.ReceiveAsync(ignored.AsMemory(0, rest), either.Token);
            if (heard == 0)
            {
                return;
            }
        }
    }
}
