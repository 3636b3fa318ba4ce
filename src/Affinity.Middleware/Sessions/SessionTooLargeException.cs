using System.Globalization;

namespace Affinity.Sessions;

/// <summary>A change would make the session larger than it may be. Nothing was saved and the response has not started.</summary>
public sealed class SessionTooLargeException : InvalidOperationException
{
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

    private SessionTooLargeException(string message, long size, int limit)
        : base(message) => (Size, Limit) = (size, limit);

    /// <summary>Bytes that the session would take.</summary>
    public long Size { get; }

    /// <summary>Bytes that it may take.</summary>
    public int Limit { get; }

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
            size,
            limit);
    }

    private static string Shortened(string key) => key.Length <= 60 ? key : key[..60] + "…";
}
