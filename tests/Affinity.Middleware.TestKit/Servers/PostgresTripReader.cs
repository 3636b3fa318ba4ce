using System.Buffers.Binary;

namespace Affinity.TestKit;

/// <summary>
/// Finds the round trips in the bytes that a client of the PostgreSQL protocol (version 3) sends, however they are cut into pieces: each ends with Sync or is a simple Query. Goes blind for good at a first byte that is not a zero, with
/// which every start of this protocol begins, and when the client turns to TLS.
/// </summary>
internal sealed class PostgresTripReader(Action<string> onTrip)
{
    private const int LengthBytes = sizeof(int);
    private const int StartBytes = 2 * LengthBytes;
    private const int Protocol3 = 3 << 16;
    private const int GssRequest = 80877104;
    private const int SslRequest = 80877103;

    private readonly byte[] _header = new byte[StartBytes];
    private int _have;
    private long _skip;
    private bool _hasStarted;
    private bool _isBlind;

    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !_isBlind)
        {
            if (_skip > 0)
            {
                var passed = (int)Math.Min(_skip, bytes.Length);
                _skip -= passed;
                bytes = bytes[passed..];
                continue;
            }

            _header[_have++] = bytes[0];
            bytes = bytes[1..];
            _isBlind = !_hasStarted && _have == 1 && _header[0] != 0;
            if (_hasStarted && _have == 1 + LengthBytes)
            {
                ReadMessage();
            }
            else if (!_hasStarted && _have == StartBytes)
            {
                ReadStart();
            }
        }
    }

    private void ReadMessage()
    {
        _skip = BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(1)) - LengthBytes;
        _isBlind = _skip < 0;
        _have = 0;
        switch (_header[0])
        {
            case (byte)'S':
                onTrip("SYNC");
                break;
            case (byte)'Q':
                onTrip("QUERY");
                break;
        }
    }

    /// <summary>The first message has no type: its length, then the protocol's version, or a number that asks for encryption, which may be declined.</summary>
    private void ReadStart()
    {
        _skip = BinaryPrimitives.ReadInt32BigEndian(_header) - StartBytes;
        var code = BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(LengthBytes));
        _hasStarted = code == Protocol3;
        _isBlind = _skip < 0 || !(_hasStarted || code is GssRequest or SslRequest);
        _have = 0;
    }
}
