using System.Globalization;

namespace Affinity.Sessions;

/// <summary>A change would make the session larger than it may be. Nothing was saved and the response has not started.</summary>
public sealed class SessionTooLargeException : InvalidOperationException
{
    private const int ShownLength = 60;

    /// <summary>Without figures.</summary>
    public SessionTooLargeException()
    {
    }

    /// <summary>With a message of the caller's.</summary>
    public SessionTooLargeException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    public SessionTooLargeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    private SessionTooLargeException(string message, string measure, long size, int limit)
        : base(message) => (Measure, Size, Limit) = (measure, size, limit);

    /// <summary>What the session would take: bytes, items, or bytes of one key, as the message says.</summary>
    public long Size { get; }

    /// <summary>What it may take of that.</summary>
    public int Limit { get; }

    /// <summary>What is counted, for the log.</summary>
    internal string Measure { get; } = "bytes";

    internal static SessionTooLargeException For(IReadOnlyDictionary<string, byte[]> items, long size, int limit, string setting = "Affinity:Sessions:MaxBytes")
    {
        var largest = items
            .Select(item => (item.Key, Bytes: SessionCodec.SizeOf(item.Key, item.Value)))
            .OrderByDescending(item => item.Bytes)
            .Take(3)
            .Select(item => string.Create(CultureInfo.InvariantCulture, $"'{Shortened(item.Key)}' ({item.Bytes} bytes)"));
        return new SessionTooLargeException(
            string.Create(CultureInfo.InvariantCulture, $"The session would take {size} bytes, {limit} are allowed. Largest: {string.Join(", ", largest)}. ")
            + $"Keep less in the session (a key to the data instead of the data), or raise {setting}.",
            "bytes",
            size,
            limit);
    }

    internal static SessionTooLargeException ForItems(string added, int count, int limit) => new(
        string.Create(CultureInfo.InvariantCulture, $"The session would have {count} items, {limit} are allowed: '{Shortened(added)}' is one too many. ")
        + "Keep what belongs together in one item, or elsewhere with a key to it in the session, or raise Affinity:Sessions:MaxItems.",
        "items",
        count,
        limit);

    internal static SessionTooLargeException ForKey(string key, int bytes, int limit) => new(
        string.Create(CultureInfo.InvariantCulture, $"A session key takes {bytes} bytes, {limit} are allowed: '{Shortened(key)}'. ")
        + "Use a short name and put what is long into the value, or raise Affinity:Sessions:MaxKeyBytes.",
        "bytes in one key",
        bytes,
        limit);

    /// <summary>For logs: of bounded length, on one line, and never half a letter.</summary>
    private static string Shortened(string key)
    {
        var text = key.Length <= ShownLength ? key : key[..(char.IsHighSurrogate(key[ShownLength - 1]) ? ShownLength - 1 : ShownLength)] + "…";
        return string.Create(text.Length, text, static (shown, source) =>
        {
            for (var i = 0; i < shown.Length; i++)
            {
                shown[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? '?' : source[i];
            }
        });
    }
}
