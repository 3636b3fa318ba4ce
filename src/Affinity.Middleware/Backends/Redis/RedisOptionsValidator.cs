using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>Reports every fault of <see cref="RedisOptions"/> with its cure, and never a part of the connection string.</summary>
internal static class RedisOptionsValidator
{
    private const int LongestPrefix = 64;
    private static readonly TimeSpan LeastConnectTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MostConnectTimeout = TimeSpan.FromMinutes(1);

    public static IEnumerable<string> Faults(RedisOptions options)
    {
        if (options.Configuration is { } configuration && !IsReadable(configuration))
        {
            yield return "Affinity:Redis:Configuration (or ConnectionStrings:redis) is not a connection string of StackExchange.Redis that names a server; "
                + "write it like 'host:6379,password=…,ssl=true'.";
        }

        if (options.KeyPrefix is not null && !IsKeyPart(options.KeyPrefix, LongestPrefix))
        {
            yield return $"Affinity:Redis:KeyPrefix must be 1 to {LongestPrefix} printable ASCII characters without spaces and braces, like 'shop:', or be left out.";
        }

        if (string.IsNullOrWhiteSpace(options.DataProtectionKey))
        {
            yield return "Affinity:Redis:DataProtectionKey must name a list; 'DataProtection-Keys' is the default.";
        }

        if (options.ConnectTimeout < LeastConnectTimeout || options.ConnectTimeout > MostConnectTimeout)
        {
            yield return "Affinity:Redis:ConnectTimeout must be between 100 ms and 1 minute, like '00:00:01'.";
        }
    }

    public static bool IsReadable(string configuration)
    {
        try
        {
            return ConfigurationOptions.Parse(configuration).EndPoints.Count > 0;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            // What the parser says quotes the piece that it does not understand, and that may be half of a password.
            return false;
        }
    }

    public static bool IsKeyPart(string? text, int longest) =>
        !string.IsNullOrEmpty(text) && text.Length <= longest && text.All(c => c is > ' ' and < '\x7f' and not '{' and not '}');
}
