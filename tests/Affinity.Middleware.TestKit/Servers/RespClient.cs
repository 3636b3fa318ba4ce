using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Affinity.TestKit;

/// <summary>
/// A minimal client of the Redis protocol over one connection, so that what the tests ask a server does not pass through the
/// client library under test. One command at a time.
/// </summary>
public sealed class RespClient : IDisposable
{
    private readonly TcpClient _connection;
    private readonly NetworkStream _stream;
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _position;
    private int _filled;

    private RespClient(TcpClient connection)
    {
        _connection = connection;
        _stream = connection.GetStream();
    }

    /// <summary>Connects to a port on 127.0.0.1.</summary>
    public static async Task<RespClient> ConnectAsync(int port, CancellationToken cancellation = default)
    {
        var connection = new TcpClient { NoDelay = true };
        try
        {
            await connection.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return new RespClient(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends one command and reads its reply.</summary>
    /// <exception cref="RespException">The reply is an error.</exception>
    /// <exception cref="EndOfStreamException">The server closed the connection.</exception>
    public async Task<RespReply> CommandAsync(IReadOnlyList<string> words, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(words);
        await SendAsync(words, cancellation);
        return await ReadAsync(cancellation);
    }

    /// <summary>Sends one command without waiting for the reply.</summary>
    public async Task SendAsync(IReadOnlyList<string> words, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(words);
        var request = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Count}\r\n");
        foreach (var word in words)
        {
            request.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await _stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()), cancellation);
    }

    /// <summary>Reads one reply.</summary>
    public async Task<RespReply> ReadAsync(CancellationToken cancellation = default)
    {
        var line = await ReadLineAsync(cancellation);
        var rest = line[1..];
        switch (line[0])
        {
            case '+' or ':':
                return new RespReply(rest);
            case '-':
                throw new RespException(rest);
            case '$':
                var length = int.Parse(rest, CultureInfo.InvariantCulture);
                return new RespReply(length < 0 ? null : await ReadTextAsync(length, cancellation));
            case '*':
                var count = int.Parse(rest, CultureInfo.InvariantCulture);
                return new RespReply(null, count < 0 ? null : await ReadItemsAsync(count, cancellation));
            default:
                throw new InvalidDataException($"This is no reply of the Redis protocol: {line}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private async Task<IReadOnlyList<RespReply>> ReadItemsAsync(int count, CancellationToken cancellation)
    {
        var items = new List<RespReply>();
        while (items.Count < count)
        {
            items.Add(await ReadAsync(cancellation));
        }

        return items;
    }

    private async Task<string> ReadTextAsync(int length, CancellationToken cancellation)
    {
        var bytes = new byte[length + 2];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = await ReadByteAsync(cancellation);
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellation)
    {
        var line = new List<byte>();
        while (await ReadByteAsync(cancellation) is var next && next != '\n')
        {
            line.Add(next);
        }

        return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
    }

    private async ValueTask<byte> ReadByteAsync(CancellationToken cancellation)
    {
        if (_position == _filled)
        {
            _position = 0;
            _filled = await _stream.ReadAsync(_buffer, cancellation);
            if (_filled == 0)
            {
                throw new EndOfStreamException("The server closed the connection.");
            }
        }

        return _buffer[_position++];
    }
}
