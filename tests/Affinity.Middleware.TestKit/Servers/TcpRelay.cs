using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Affinity.TestKit;

/// <summary>
/// A network between a client and a server on loopback, with the faults of a network. Every setting may be changed at any time
/// and holds for the connections that exist and those to come.
/// </summary>
public sealed class TcpRelay : IDisposable
{
    private readonly int _targetPort;
    private readonly ConcurrentDictionary<RelayConnection, bool> _connections = new();
    private readonly ConcurrentDictionary<string, long> _commands = new(StringComparer.Ordinal);
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly Lock _gate = new();
    private Socket? _listener;
    private long _delayToServer;
    private long _delayToClient;
    private long _jitter;
    private double _resetShare;
    private long _accepted;
    private long _bytesToServer;
    private long _bytesToClient;
    private volatile bool _dropReplies;

    /// <summary>Starts to relay a free port to <paramref name="targetPort"/> on 127.0.0.1.</summary>
    public TcpRelay(int targetPort)
    {
        _targetPort = targetPort;
        Port = LoopbackPort.Next();
        Listen();
    }

    /// <summary>The port on 127.0.0.1 where the relay listens.</summary>
    public int Port { get; }

    /// <summary>The address as client libraries take it: <c>127.0.0.1:port</c>.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>
    /// How long each piece travels to the server. This is latency: any number of pieces can be under way, in order. A piece that
    /// has begun its way keeps its time. The opening of a connection is not delayed.
    /// </summary>
    public TimeSpan DelayToServer { get => Read(ref _delayToServer); set => Write(ref _delayToServer, value); }

    /// <summary>How long each piece travels to the client.</summary>
    public TimeSpan DelayToClient { get => Read(ref _delayToClient); set => Write(ref _delayToClient, value); }

    /// <summary>By how much each piece may travel longer or shorter, in both directions, at random; never less than no time, and never past the piece before it.</summary>
    public TimeSpan Jitter { get => Read(ref _jitter); set => Write(ref _jitter, value); }

    /// <summary>The share of pieces, in both directions, instead of which the connection is reset. 0 to 1.</summary>
    public double ResetShare { get => Volatile.Read(ref _resetShare); set => Volatile.Write(ref _resetShare, value); }

    /// <summary>Holds everything back, in both directions, while connections stay and new ones are taken: a partition. Ended, all arrives.</summary>
    public bool Hold
    {
        get => !_open.IsSet;
        set
        {
            if (value)
            {
                _open.Reset();
            }
            else
            {
                _open.Set();
            }
        }
    }

    /// <summary>
    /// Lets requests through and swallows the replies: the client can't know whether its write was made. When it ends, the
    /// connections that lost a reply are reset, for on a stream with a gap a client would take one answer for another.
    /// </summary>
    public bool DropReplies
    {
        get => _dropReplies;
        set
        {
            _dropReplies = value;
            Interlocked.MemoryBarrier();
            foreach (var connection in _connections.Keys.Where(connection => !value && connection.HasLostBytes))
            {
                connection.Cut();
            }
        }
    }

    /// <summary>Refuses new connections, as a port without a listener does. Those that exist stay: see <see cref="CutAll"/>.</summary>
    public bool Refuse
    {
        get
        {
            lock (_gate)
            {
                return _listener is null;
            }
        }

        set
        {
            lock (_gate)
            {
                if (value)
                {
                    _listener?.Dispose();
                    _listener = null;
                }
                else if (_listener is null)
                {
                    Listen();
                }
            }
        }
    }

    /// <summary>How many connections were taken.</summary>
    public long Connections => Interlocked.Read(ref _accepted);

    /// <summary>How many of them are open.</summary>
    public int OpenConnections => _connections.Count;

    /// <summary>Bytes that came from clients.</summary>
    public long BytesToServer => Interlocked.Read(ref _bytesToServer);

    /// <summary>Bytes that came from the server.</summary>
    public long BytesToClient => Interlocked.Read(ref _bytesToClient);

    /// <summary>
    /// How many commands of the Redis protocol came from clients, by upper-case name: a snapshot. A client that awaits each reply
    /// makes one round trip per command. What a script calls inside the server does not count. Of the PostgreSQL protocol: round trips, as <c>SYNC</c> and <c>QUERY</c>.
    /// </summary>
    public IReadOnlyDictionary<string, long> Commands => new Dictionary<string, long>(_commands, StringComparer.Ordinal);

    /// <summary>How many commands of these names came from clients.</summary>
    public long CommandCount(params string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return names.Sum(name => _commands.GetValueOrDefault(name.ToUpperInvariant()));
    }

    /// <summary>Sets all counters to zero.</summary>
    public void ResetCounters()
    {
        _commands.Clear();
        Interlocked.Exchange(ref _accepted, 0);
        Interlocked.Exchange(ref _bytesToServer, 0);
        Interlocked.Exchange(ref _bytesToClient, 0);
    }

    /// <summary>Resets every connection over which anything has come back, on both sides; what was under way is lost.</summary>
    public void CutAll()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Cut();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Refuse = true;
        CutAll();
        Hold = false;
    }

    internal void CountCommand(string name) => _commands.AddOrUpdate(name, 1, static (_, count) => count + 1);

    internal void CountBytes(int count, bool toServer) => Interlocked.Add(ref toServer ? ref _bytesToServer : ref _bytesToClient, count);

    internal void Forget(RelayConnection connection) => _connections.TryRemove(connection, out _);

    internal void WaitWhileHeld(RelayConnection connection)
    {
        while (!connection.Closed && !_open.Wait(TimeSpan.FromMilliseconds(50)))
        {
        }
    }

    private void Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen(512);
        _listener = listener;
        new Thread(() => AcceptAll(listener)) { IsBackground = true, Name = "relay listener" }.Start();
    }

    private void AcceptAll(Socket listener)
    {
        try
        {
            while (true)
            {
                Connect(listener.Accept());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The listener was closed: Refuse, or the end.
        }
    }

    private void Connect(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            server.Connect(IPAddress.Loopback, _targetPort);
            client.NoDelay = true;
            server.NoDelay = true;
        }
        catch (SocketException)
        {
            // Nobody listens there, so nobody seems to listen here.
            RelayConnection.Reset(client);
            server.Dispose();
            return;
        }

        Interlocked.Increment(ref _accepted);
        var connection = new RelayConnection(this, client, server);
        _connections[connection] = true;
        connection.Start();
    }

    private static TimeSpan Read(ref long ticks) => new(Interlocked.Read(ref ticks));

    private static void Write(ref long ticks, TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
        Interlocked.Exchange(ref ticks, value.Ticks);
    }
}
