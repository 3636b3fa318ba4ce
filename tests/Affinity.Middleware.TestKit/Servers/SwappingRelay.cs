using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Affinity.TestKit;

/// <summary>
/// A relay between a client and a server of the Redis protocol that, when it is told to, hands two answers over in each other's place: what a proxy or a client with a bug does, and what nobody sees on the wire.
/// </summary>
public sealed class SwappingRelay : IDisposable
{
    private readonly int _targetPort;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private volatile byte[][]? _armed;
    private int _connections;
    private int _swaps;

    /// <summary>Starts to relay a free port to <paramref name="targetPort"/> on 127.0.0.1.</summary>
    public SwappingRelay(int targetPort)
    {
        (_targetPort, Port) = (targetPort, LoopbackPort.Next());
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1 where the relay listens.</summary>
    public int Port { get; }

    /// <summary>The address as client libraries take it: <c>127.0.0.1:port</c>.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>How many connections were taken.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How many times two answers came in each other's place.</summary>
    public int Swaps => Volatile.Read(ref _swaps);

    /// <summary>The next two answers of one connection that hold one of these words come in each other's place. The first is held back until the second is there.</summary>
    public void SwapNext(params string[] words)
    {
        ArgumentNullException.ThrowIfNull(words);
        _armed = Array.ConvertAll(words, Encoding.ASCII.GetBytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var token = _end.Token;
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(token);
                Interlocked.Increment(ref _connections);
                _ = RelayAsync(client, token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The end.
        }
    }

    private async Task RelayAsync(TcpClient client, CancellationToken token)
    {
        using var server = new TcpClient { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _targetPort, token);
                await Task.WhenAny(client.GetStream().CopyToAsync(server.GetStream(), token), ReplyAsync(server.GetStream(), client.GetStream(), token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
            {
                // One side is gone, and so is the other.
            }
        }
    }

    private async Task ReplyAsync(NetworkStream from, NetworkStream to, CancellationToken token)
    {
        var buffer = new byte[64 * 1024];
        var filled = 0;
        List<byte[]> held = [];
        while (true)
        {
            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var count = await from.ReadAsync(buffer.AsMemory(filled), token);
            if (count == 0)
            {
                return;
            }

            filled += count;
            var start = 0;
            while (LengthOf(buffer.AsSpan(start, filled - start)) is var length and > 0)
            {
                foreach (var answer in Pass(held, buffer[start..(start + length)]))
                {
                    await to.WriteAsync(answer, token);
                }

                start += length;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
        }
    }

    /// <summary>What goes on to the client now.</summary>
    private byte[][] Pass(List<byte[]> held, byte[] answer)
    {
        var isMeant = _armed is { } words && Array.Exists(words, word => answer.AsSpan().IndexOf(word) >= 0);
        if (held.Count == 0 && !isMeant)
        {
            return [answer];
        }

        held.Add(answer);
        if (held.Count == 1 || !isMeant)
        {
            return [];
        }

        _armed = null;
        Interlocked.Increment(ref _swaps);
        (held[0], held[^1]) = (held[^1], held[0]);
        byte[][] all = [.. held];
        held.Clear();
        return all;
    }

    /// <summary>The length of the first answer; 0 when it is not there as a whole.</summary>
    private static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        var line = bytes.IndexOf("\r\n"u8);
        if (line < 0)
        {
            return 0;
        }

        var end = line + 2;
        if (bytes[0] is not ((byte)'$' or (byte)'*') || !int.TryParse(bytes[1..line], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) || number < 0)
        {
            return end;
        }

        if (bytes[0] == (byte)'$')
        {
            return end + number + 2 <= bytes.Length ? end + number + 2 : 0;
        }

        for (var i = 0; i < number; i++)
        {
            var part = LengthOf(bytes[end..]);
            if (part == 0)
            {
                return 0;
            }

            end += part;
        }

        return end;
    }
}
