using System.Text;

namespace Affinity.Sessions;

/// <summary>What bounds a session beside its bytes: the length of a key and the number of items. They bind who writes: what another release, or an app with other settings, has stored beyond them is read, shown, and can be removed.</summary>
internal static class SessionCaps
{
    private const int MostBytesPerChar = 3;

    /// <exception cref="SessionTooLargeException">The key is longer than <see cref="SessionsOptions.MaxKeyBytes"/>.</exception>
    public static void ThrowIfKeyTooLong(string key, SessionsOptions options)
    {
        if (key.Length * MostBytesPerChar > options.MaxKeyBytes && Encoding.UTF8.GetByteCount(key) is var bytes && bytes > options.MaxKeyBytes)
        {
            throw SessionTooLargeException.ForKey(key, bytes, options.MaxKeyBytes);
        }
    }

    /// <summary>A session that has too many items already may be changed as long as it does not grow.</summary>
    /// <exception cref="SessionTooLargeException">There would be more than <see cref="SessionsOptions.MaxItems"/>.</exception>
    public static void ThrowIfTooMany(IReadOnlyDictionary<string, byte[]> before, IReadOnlyDictionary<string, byte[]> after, SessionsOptions options)
    {
        if (after.Count > options.MaxItems && after.Count > before.Count)
        {
            throw SessionTooLargeException.ForItems(after.Keys.First(key => !before.ContainsKey(key)), after.Count, options.MaxItems);
        }
    }
}
