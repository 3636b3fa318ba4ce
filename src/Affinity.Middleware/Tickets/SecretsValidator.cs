namespace Affinity.Tickets;

/// <summary>Checks <c>Affinity:Secrets</c>. A message names the entry by its place and never repeats its value.</summary>
internal static class SecretsValidator
{
    private const int MinBytes = 32;
    private const string Cure = "make one with: openssl rand -base64 32";

    /// <summary>Every fault, with its cure.</summary>
    public static IEnumerable<string> Faults(IReadOnlyList<string> secrets)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < secrets.Count; i++)
        {
            var name = $"Affinity:Secrets:{i}";
            if (!TryDecode(secrets[i], out var bytes))
            {
                yield return $"{name} is not base64; {Cure}";
                continue;
            }

            if (bytes.Length < MinBytes)
            {
                yield return $"{name} has {bytes.Length} bytes and needs at least {MinBytes} random ones; {Cure}";
            }
            else if (!bytes.AsSpan().ContainsAnyExcept(bytes[0]))
            {
                yield return $"{name} repeats one byte, so anybody can guess it; {Cure}";
            }

            if (!seen.TryAdd(Convert.ToHexString(bytes), i))
            {
                yield return $"{name} is the same as Affinity:Secrets:{seen[Convert.ToHexString(bytes)]}; remove one of the two";
            }
        }
    }

    /// <summary>The bytes of one entry; false when it is not base64, empty included.</summary>
    public static bool TryDecode(string? secret, out byte[] bytes)
    {
        bytes = new byte[secret?.Length ?? 0];
        var ok = Convert.TryFromBase64String(secret ?? "", bytes, out var written) && written > 0;
        Array.Resize(ref bytes, written);
        return ok;
    }
}
