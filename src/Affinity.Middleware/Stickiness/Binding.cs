using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>
/// How a visitor is bound, as far as the app needs a truth of its own beside the route cookie; travels signed, in the <see cref="BindingCookie"/>.
/// Bytes of format 1, integers big-endian: format, repairs, length of node, node, length of track (0: none), track, until (seconds since 1970, 0: none),
/// and, only with a track, track until. One value has one form.
/// </summary>
/// <param name="Node">The node.</param>
/// <param name="Until">When the binding ends, at this very moment, in whole seconds; null: with the browser or the app's cookie.</param>
internal sealed record Binding(NodeId Node, DateTimeOffset? Until = null)
{
    public const int MaxRepairs = 15;
    public const int MaxSize = 4 + (2 * NodeId.MaxLength) + (2 * sizeof(long));

    private const byte Format = 1;

    // The last second of the year 9999, the latest that a DateTimeOffset can hold.
    private const long MaxSeconds = 253_402_300_799;

    /// <summary>The version of the app that the visitor started with; null: none. The letters and the length of a node's name.</summary>
    public string? Track { get; init; }

    /// <summary>Until when the visitor stays on <see cref="Track"/>, in whole seconds; null if and only if that is.</summary>
    public DateTimeOffset? TrackUntil { get; init; }

    /// <summary>How many times the route cookie has been corrected towards this node; 0 to <see cref="MaxRepairs"/>.</summary>
    public int Repairs { get; init; }

    /// <summary>When nothing of it counts any more: the later of its times; null: with the browser.</summary>
    public DateTimeOffset? End => Until is { } until ? (TrackUntil > until ? TrackUntil : until) : null;

    /// <summary>How many bytes <see cref="Write"/> writes; at most <see cref="MaxSize"/>.</summary>
    public int Size => 4 + Node.Value.Length + (Track?.Length ?? 0) + (Track is null ? 1 : 2) * sizeof(long);

    /// <summary>Whether it has only values that a reader takes; a track comes from the directory, where another release may have put anything.</summary>
    public bool IsSane =>
        Repairs is >= 0 and <= MaxRepairs && Track is null == TrackUntil is null && (Track is null || NodeId.TryParse(Track, out _))
        && Until?.ToUnixTimeSeconds() is not <= 0 && TrackUntil?.ToUnixTimeSeconds() is not <= 0;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    /// <exception cref="ArgumentException">The binding has a value that no reader takes, or the room is too small.</exception>
    public void Write(Span<byte> bytes)
    {
        if (!IsSane)
        {
            throw new ArgumentException("A binding's track is a name like a node's and comes with its time, times lie after 1970, and repairs are 0 to 15.", nameof(bytes));
        }

        bytes[0] = Format;
        bytes[1] = (byte)Repairs;
        var rest = WriteSeconds(WriteName(WriteName(bytes[2..], Node.Value), Track), Until);
        if (Track is not null)
        {
            WriteSeconds(rest, TrackUntil);
        }
    }

    /// <summary>Reads exactly what <see cref="Write"/> wrote, and refuses everything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Binding? binding)
    {
        binding = null;
        if (bytes.Length < 4 || bytes[0] != Format || bytes[1] > MaxRepairs)
        {
            return false;
        }

        var rest = bytes[2..];
        if (!TryReadName(ref rest, out var node) || node is not { } bound || !TryReadName(ref rest, out var track) || !TryReadSeconds(ref rest, out var until))
        {
            return false;
        }

        DateTimeOffset? trackUntil = null;
        if (track is not null && (!TryReadSeconds(ref rest, out trackUntil) || trackUntil is null))
        {
            return false;
        }

        if (!rest.IsEmpty)
        {
            return false;
        }

        binding = new Binding(bound, until) { Track = track?.Value, TrackUntil = trackUntil, Repairs = bytes[1] };
        return true;
    }

    private static Span<byte> WriteName(Span<byte> bytes, string? name)
    {
        bytes[0] = (byte)(name?.Length ?? 0);
        return bytes[(1 + Encoding.ASCII.GetBytes(name, bytes[1..]))..];
    }

    private static Span<byte> WriteSeconds(Span<byte> bytes, DateTimeOffset? time)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes, time?.ToUnixTimeSeconds() ?? 0);
        return bytes[sizeof(long)..];
    }

    private static bool TryReadName(ref ReadOnlySpan<byte> rest, out NodeId? name)
    {
        name = null;
        if (rest.IsEmpty || rest[0] > NodeId.MaxLength || rest.Length <= rest[0])
        {
            return false;
        }

        var length = rest[0];
        if (length > 0)
        {
            // Latin-1 maps bytes one to one, so that no byte above 127 can pass for another letter.
            if (!NodeId.TryParse(Encoding.Latin1.GetString(rest[1..(1 + length)]), out var id))
            {
                return false;
            }

            name = id;
        }

        rest = rest[(1 + length)..];
        return true;
    }

    private static bool TryReadSeconds(ref ReadOnlySpan<byte> rest, out DateTimeOffset? time)
    {
        time = null;
        if (rest.Length < sizeof(long) || BinaryPrimitives.ReadInt64BigEndian(rest) is var seconds && seconds is < 0 or > MaxSeconds)
        {
            return false;
        }

        time = seconds == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(seconds);
        rest = rest[sizeof(long)..];
        return true;
    }
}
