using System.Globalization;
using System.Text;

namespace Affinity.TestKit;

/// <summary>
/// Finds the names of the commands in the bytes that a client of the Redis protocol sends, however they are cut into pieces.
/// Goes blind for good at the first byte that is not a request array, so that other protocols can pass.
/// </summary>
internal sealed class RespCommandReader(Action<string> onCommand)
{
    private const int MaxHeader = 20;
    private const int LineEnd = 2;
    private readonly StringBuilder _text = new();
    private State _state;
    private long _arguments;
    private long _bytes;
    private bool _isName;

    private enum State
    {
        Header,
        Name,
        Skip,
        Blind,
    }

    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _state != State.Blind)
        {
            var taken = _state switch
            {
                State.Header => ReadHeader(bytes[0]),
                State.Name => ReadName(bytes),
                _ => Skip(bytes),
            };
            bytes = bytes[taken..];
        }
    }

    // "*3\r\n" begins a request, "$6\r\n" an argument.
    private int ReadHeader(byte next)
    {
        if (next != '\n')
        {
            _text.Append((char)next);
            _state = _text.Length > MaxHeader ? State.Blind : State.Header;
            return 1;
        }

        var header = _text.ToString().TrimEnd('\r');
        _text.Clear();
        var expected = _arguments == 0 ? '*' : '$';
        if (header.Length < 2 || header[0] != expected || !long.TryParse(header.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            _state = State.Blind;
        }
        else if (expected == '*')
        {
            _arguments = number;
            _isName = true;
        }
        else
        {
            _state = _isName ? State.Name : State.Skip;
            _bytes = _isName ? number : number + LineEnd;
        }

        return 1;
    }

    private int ReadName(ReadOnlySpan<byte> bytes)
    {
        var taken = (int)Math.Min(_bytes, bytes.Length);
        _text.Append(Encoding.ASCII.GetString(bytes[..taken]));
        _bytes -= taken;
        if (_bytes == 0)
        {
            onCommand(_text.ToString().ToUpperInvariant());
            _text.Clear();
            _isName = false;
            _bytes = LineEnd;
            _state = State.Skip;
        }

        return taken;
    }

    private int Skip(ReadOnlySpan<byte> bytes)
    {
        var taken = (int)Math.Min(_bytes, bytes.Length);
        _bytes -= taken;
        if (_bytes == 0)
        {
            _arguments--;
            _state = State.Header;
        }

        return taken;
    }
}
