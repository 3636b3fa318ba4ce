using System.Net.Sockets;

namespace Affinity.TestKit;

/// <summary>One client of a <see cref="TcpRelay"/> with its own connection to the server.</summary>
internal sealed class RelayConnection(TcpRelay relay, Socket client, Socket server)
{
    private volatile bool _closed;
    private volatile bool _hasLostBytes;
    private int _endedPipes;

    public bool Closed => _closed;

    /// <summary>A reply was swallowed: what follows would be taken for the answer to another request.</summary>
    public bool HasLostBytes { get => _hasLostBytes; set => _hasLostBytes = value; }

    public void Start()
    {
        new RelayPipe(relay, this, client, server, toServer: true).Start();
        new RelayPipe(relay, this, server, client, toServer: false).Start();
    }

    /// <summary>Resets both sides (RST, not FIN), as a dead host or a firewall does.</summary>
    public void Cut()
    {
        if (!_closed)
        {
            _closed = true;
            Reset(client);
            Reset(server);
            relay.Forget(this);
        }
    }

    public void OnPipeEnded()
    {
        if (Interlocked.Increment(ref _endedPipes) == 2)
        {
            _closed = true;
            client.Dispose();
            server.Dispose();
            relay.Forget(this);
        }
    }

    internal static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed already.
        }

        socket.Dispose();
    }
}
