using System.Globalization;
using System.Runtime.InteropServices;
using Affinity.Tickets;

namespace Affinity.Backends.Redis;

/// <summary>How versions and payloads are handed to the scripts, those of the store and those of the cache alike.</summary>
internal static class RedisSessionArguments
{
    public static string Counter(SessionVersion version) => version.Counter.ToString(CultureInfo.InvariantCulture);

    public static string Stamp(SessionVersion version) => version.Stamp.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>One of the last writes, as the field <c>h</c> lists them.</summary>
    public static string Tag(SessionVersion version) => $"{Counter(version)}-{Stamp(version)},";

    /// <summary>The array behind it if it is all of it: a session of a megabyte is not copied for the client's sake.</summary>
    public static byte[] ToArray(ReadOnlyMemory<byte> payload) =>
        MemoryMarshal.TryGetArray(payload, out var part) && part.Offset == 0 && part.Count == part.Array!.Length ? part.Array : payload.ToArray();
}
