namespace Affinity.Tickets;

/// <summary>
/// The keys of a ring and the rules that every node follows alike. Immutable: same elements, in whatever order, and same time, same answers.
/// </summary>
internal sealed class SigningRing
{
    /// <summary>How old the newest key may be.</summary>
    public static readonly TimeSpan RotateAfter = TimeSpan.FromDays(30);

    /// <summary>How long a new key only verifies, so that every node has it before it signs.</summary>
    public static readonly TimeSpan Propagation = TimeSpan.FromHours(1);

    /// <summary>How long a key still verifies once its successor signs: the longest life of a ticket.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(90);

    /// <summary>
    /// How long a ring is young: when the vault has lost it and a new node has begun another one, this is more than the others need to put their keys back.
    /// </summary>
    public static readonly TimeSpan SettlesIn = TimeSpan.FromSeconds(15);

    // A key "created" further ahead comes from a broken clock and must not hold up the next rotation for years.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromDays(1);

    // By activation, ties by id.
    private readonly RingKey[] _keys;

    private SigningRing(RingKey[] keys) => _keys = keys;

    public static SigningRing Of(IEnumerable<string> elements)
    {
        var keys = new Dictionary<SigningKeyId, RingKey>();
        foreach (var element in elements)
        {
            if (RingKey.TryParse(element, out var key))
            {
                keys.TryAdd(key.Key.Id, key);
            }
        }

        return new SigningRing([.. keys.Values.OrderBy(key => key.Activates).ThenBy(key => key.Key.Id.Value)]);
    }

    public bool IsEmpty => _keys.Length == 0;

    /// <summary>
    /// The latest activated key, null in an empty ring. A ring in which none is activated yet was begun by a node whose clock runs ahead: then it is the
    /// first, for otherwise this node could not sign at all.
    /// </summary>
    public SigningKey? Signer(DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds();
        var signer = Array.FindLast(_keys, key => key.Activates <= seconds);
        return (signer ?? (IsEmpty ? null : _keys[0]))?.Key;
    }

    /// <summary>
    /// Whether the ring has such a key, and the key while it verifies: from the moment it is known until <see cref="KeptFor"/> after its successor's
    /// activation.
    /// </summary>
    public bool TryFind(SigningKeyId id, DateTimeOffset now, out SigningKey? verifying)
    {
        verifying = null;
        var index = Array.FindIndex(_keys, key => key.Key.Id == id);
        if (index < 0)
        {
            return false;
        }

        var retired = index + 1 < _keys.Length && _keys[index + 1].Activates < (now - KeptFor).ToUnixTimeSeconds();
        verifying = retired ? null : _keys[index].Key;
        return true;
    }

    /// <summary>The key of this id, whether it verifies or not; null when the ring has none.</summary>
    public RingKey? Find(SigningKeyId id) => Array.Find(_keys, key => key.Key.Id == id);

    /// <summary>
    /// Whether the ring is complete, so that a key that it does not hold does not exist. An empty or young ring may be the rest of a lost one.
    /// </summary>
    public bool IsSettled(DateTimeOffset now)
    {
        var latest = (now - SettlesIn).ToUnixTimeSeconds();
        return Array.Exists(_keys, key => key.Created <= latest);
    }

    /// <summary>Whether it is time for a new key.</summary>
    public bool NeedsNew(DateTimeOffset now)
    {
        var (oldest, latest) = ((now - RotateAfter).ToUnixTimeSeconds(), (now + ClockTolerance).ToUnixTimeSeconds());
        return !Array.Exists(_keys, key => key.Created > oldest && key.Created <= latest);
    }
}
