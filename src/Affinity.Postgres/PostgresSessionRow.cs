using System.Buffers.Binary;
using Affinity.Sessions;
using Affinity.Tickets;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>How versions and records stand in a row.</summary>
internal static class PostgresSessionRow
{
    private const int VersionSize = 16;
    private const int Version = 1;
    private const int Generation = 2;
    private const int Left = 3;
    private const int Absolute = 4;
    private const int Payload = 5;
    private const int Writes = 6;

    /// <summary>Counter and stamp, big-endian; zeros for None.</summary>
    public static byte[] ToBytes(SessionVersion version)
    {
        var bytes = new byte[VersionSize];
        Write(bytes, version);
        return bytes;
    }

    /// <summary>The same for several, one after another.</summary>
    public static byte[] ToBytes(IReadOnlyList<SessionVersion> versions)
    {
        var bytes = versions.Count == 0 ? [] : new byte[versions.Count * VersionSize];
        for (var i = 0; i < versions.Count; i++)
        {
            Write(bytes.AsSpan(i * VersionSize), versions[i]);
        }

        return bytes;
    }

    /// <summary>Reads columns 1 to 6 of a row that has a session: version, generation, microseconds left, microseconds to the absolute limit, payload, writes.</summary>
    /// <param name="reader">At the row.</param>
    /// <param name="withPayload">Without: as in an answer that nothing has changed.</param>
    /// <exception cref="PostgresRowException">No release writes such a row.</exception>
    public static StoredSession Read(NpgsqlDataReader reader, bool withPayload)
    {
        if (reader.IsDBNull(Version) || reader.IsDBNull(Generation) || reader.IsDBNull(Left) || reader.IsDBNull(Absolute) || (withPayload && (reader.IsDBNull(Payload) || reader.IsDBNull(Writes))))
        {
            throw Unreadable();
        }

        var version = reader.GetFieldValue<byte[]>(Version);
        var generation = reader.GetInt32(Generation);
        var (left, absolute) = (reader.GetInt64(Left), reader.GetInt64(Absolute));
        var read = version.Length == VersionSize ? ReadVersion(version) : default;
        if (read.IsNone || read.Stamp == 0 || generation < 0 || left / 1000 > PostgresCalls.LongestMilliseconds || absolute / 1000 > PostgresCalls.LongestMilliseconds)
        {
            throw Unreadable();
        }

        // A row at its limit is not answered; less than a microsecond is rounded to none.
        var remaining = TimeSpan.FromMicroseconds(Math.Max(left, 1));
        var absoluteRemaining = TimeSpan.FromMicroseconds(Math.Max(absolute, Math.Max(left, 1)));
        return withPayload
            ? new StoredSession(read, generation, reader.GetFieldValue<byte[]>(Payload), remaining, absoluteRemaining) { Writes = ReadWrites(reader.GetFieldValue<byte[]>(Writes)) }
            : new StoredSession(read, generation, default, remaining, absoluteRemaining);
    }

    public static PostgresRowException Unreadable() => new("PostgreSQL holds a session that cannot be read: damaged, or written by a later version.");

    /// <summary>What cannot be read of the last writes is left out: they tell histories apart, and the record stands without them.</summary>
    private static SessionVersion[] ReadWrites(byte[] bytes)
    {
        var count = Math.Min(bytes.Length / VersionSize, SessionWrite.RememberedWrites);
        var writes = new SessionVersion[count];
        for (var i = 0; i < count; i++)
        {
            writes[i] = ReadVersion(bytes.AsSpan(i * VersionSize));
        }

        return writes;
    }

    private static SessionVersion ReadVersion(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[sizeof(ulong)..]));

    private static void Write(Span<byte> bytes, SessionVersion version)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, version.Counter);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[sizeof(ulong)..], version.Stamp);
    }
}
