using System.Globalization;
using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>Which key a cookie names, in words; never the key.</summary>
internal static class InspectionKeys
{
    // An id out of a secret ends with a week; one of a ring is random and does so once in four million.
    private const uint NearbyWeeks = 520;

    /// <summary>Which of the keys that are known here has this id, and what it is good for now; null: none of them.</summary>
    public static string? Describe(ISigningKeys keys, SigningKeyId id, DateTimeOffset now) => keys switch
    {
        SecretSigningKeys secrets => secrets.SecretOf(id) is { } secret && IsWeek(id, now) ? OfSecret(secrets, secret, SecretSigningKeys.WeekOf(id), now) : null,
        VaultSigningKeys vault => vault.FindInRing(id) is { } key ? OfRing(vault, key) : null,
        _ => null,
    };

    /// <summary>Why a key does not verify, and what to do about it.</summary>
    public static (string Why, string Do) Unknown(ISigningKeys keys, SigningKeyId id, DateTimeOffset now)
    {
        switch (keys)
        {
            case SecretSigningKeys secrets when secrets.SecretOf(id) is { } secret:
                return IsAhead(id, now)
                    ? ($"It is signed with a key of {NameOf(secrets, secret)} for a week that has not come yet.", "The clock of the node that has signed it runs ahead by more than a week, or this one's is behind. Set the clocks by NTP.")
                    : ($"It is signed with a key of {NameOf(secrets, secret)} that is more than {SigningWeeks.PastDays} days old.", "Nothing: it is old, and its visitor gets a new one. If it is not old, compare the clocks of the nodes.");
            case SecretSigningKeys secrets:
                return ($"The key comes from no secret that is known here, of which there {(secrets.SecretCount == 1 ? "is 1" : $"are {secrets.SecretCount}")}.",
                    "Compare Affinity:Secrets of all instances, in order and to the last character, and think of instances without secrets, which sign with keys of the store. "
                    + "A secret that was taken away too early does this too (docs/operations.md, Changing Affinity:Secrets). If all agree, it is not ours.");
            case VaultSigningKeys vault when vault.FindInRing(id) is not null:
                return ($"The key is in the ring of the store, and {SigningRing.KeptFor.Days} days have passed since another one took its place.", "Nothing: it is old, and its visitor gets a new one.");
            default:
                return IsWeek(id, now)
                    ? ("The key is not in the ring of the store, as far as this node has read it. Its name looks like that of a key out of Affinity:Secrets, and this node has none.",
                        "Give all instances the same Affinity:Secrets, or none.")
                    : ("The key is not in the ring of the store, as far as this node has read it.",
                        "A node reads the ring again within 5 seconds, and at once when a visitor brings a key that it does not know. If it stays so: the store has lost its keys, it is another store, or it is not ours.");
        }
    }

    private static string OfSecret(SecretSigningKeys secrets, int secret, uint week, DateTimeOffset now)
    {
        var current = SigningWeeks.At(now);
        var standing = !SigningWeeks.Accepts(week, now) ? "does not count any more, or not yet"
            : secret == 0 && week == current ? "signs now"
            : "verifies";
        return string.Create(CultureInfo.InvariantCulture, $"{NameOf(secrets, secret)}, week {week} (from {SigningWeeks.BeginOf(week):yyyy-MM-dd}); {standing}");
    }

    private static string OfRing(VaultSigningKeys vault, RingKey key)
    {
        var standing = !vault.TryFind(key.Key.Id, out _) ? "does not count any more"
            : vault.Current?.Id == key.Key.Id ? "signs now"
            : "verifies";
        return string.Create(CultureInfo.InvariantCulture, $"ring of the store, added {Day(key.Created)}, signs from {Day(key.Activates)} on; {standing}");
    }

    private static string NameOf(SecretSigningKeys secrets, int secret) =>
        string.Create(CultureInfo.InvariantCulture, $"Affinity:Secrets:{secret} ({secret + 1} of {secrets.SecretCount})");

    private static string Day(long seconds) =>
        seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : "?";

    private static bool IsAhead(SigningKeyId id, DateTimeOffset now) => SecretSigningKeys.WeekOf(id) > SigningWeeks.At(now);

    private static bool IsWeek(SigningKeyId id, DateTimeOffset now) => Math.Abs((long)SecretSigningKeys.WeekOf(id) - SigningWeeks.At(now)) <= NearbyWeeks;
}
