using System.Diagnostics;
using System.Net.Sockets;

namespace Affinity.TestKit;

/// <summary>
/// One direction of one relayed connection: a thread reads and stamps every piece with the instant at which it is due, another
/// delivers. Both are threads of their own, because the pool may be busy with the very tests that measure.
/// </summary>
internal sealed class RelayPipe(TcpRelay relay, RelayConnection connection, Socket from, Socket to, bool toServer)
{
    private const int StackBytes = 256 * 1024;
    private readonly object _gate = new();
    private readonly Queue<(byte[] Bytes, long Due)> _underWay = new();

    public void Start()
    {
        new Thread(ReadAll, StackBytes) { IsBackground = true, Name = "relay reader" }.Start();
        new Thread(DeliverAll, StackBytes) { IsBackground = true, Name = "relay delivery" }.Start();
    }

    private void ReadAll()
    {
        var buffer = new byte[64 * 1024];
        var commands = toServer ? new RespCommandReader(relay.CountCommand) : null;
        var trips = toServer ? new PostgresTripReader(relay.CountCommand) : null;
        try
        {
            while (from.Receive(buffer) is var count and > 0)
            {
                var due = DueNow();
                relay.CountBytes(count, toServer);
                commands?.Read(buffer.AsSpan(0, count));
                trips?.Read(buffer.AsSpan(0, count));
                Enqueue(buffer[..count], due);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // A reset on one side is a reset on the other.
            connection.Cut();
        }

        // The empty piece says that this side has nothing more to send.
        Enqueue([], DueNow());
    }

    private void DeliverAll()
    {
        try
        {
            while (true)
            {
                var (bytes, due) = Take();
                PreciseSleep.Until(due);
                relay.WaitWhileHeld(connection);
                if (bytes.Length == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    break;
                }

                if (relay.ResetShare > 0 && Random.Shared.NextDouble() < relay.ResetShare)
                {
                    connection.Cut();
                    break;
                }

                Deliver(bytes);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            connection.Cut();
        }

        connection.OnPipeEnded();
    }

    private void Deliver(byte[] bytes)
    {
        if (!toServer && (relay.DropReplies || connection.HasLostBytes))
        {
            connection.HasLostBytes = true;
            Interlocked.MemoryBarrier();
            if (!relay.DropReplies)
            {
                // It ended just now: whoever ended it may not have seen that this connection has a gap, and nothing may follow on a gap.
                connection.Cut();
            }

            return;
        }

        for (var sent = 0; sent < bytes.Length;)
        {
            sent += to.Send(bytes.AsSpan(sent));
        }
    }

    private long DueNow()
    {
        var delay = toServer ? relay.DelayToServer : relay.DelayToClient;
        var travel = delay + (relay.Jitter * ((2 * Random.Shared.NextDouble()) - 1));
        return Stopwatch.GetTimestamp() + (long)(Math.Max(travel.TotalSeconds, 0) * Stopwatch.Frequency);
    }

    private void Enqueue(byte[] bytes, long due)
    {
        lock (_gate)
        {
            _underWay.Enqueue((bytes, due));
            Monitor.Pulse(_gate);
        }
    }

    private (byte[] Bytes, long Due) Take()
    {
        lock (_gate)
        {
            while (_underWay.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            return _underWay.Dequeue();
        }
    }
}
