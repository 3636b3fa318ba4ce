using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>A session as it was at one version. Never changes: a request collects a <see cref="SessionDelta"/> beside it.</summary>
internal sealed class SessionSnapshot
{
    public static readonly IReadOnlyDictionary<string, byte[]> NoItems = new Dictionary<string, byte[]>(StringComparer.Ordinal);

    public required SessionVersion Version { get; init; }

    public required int Generation { get; init; }

    /// <summary>When the session began, by the clock of the node that began it, in whole milliseconds.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When the generation was last raised, likewise; equal to <see cref="Created"/> until then.</summary>
    public required DateTimeOffset Renewed { get; init; }

    /// <summary>Keys compare ordinally. The arrays are never changed and never handed to the app uncopied.</summary>
    public required IReadOnlyDictionary<string, byte[]> Items { get; init; }

    /// <summary>Until when the store keeps it if nobody touches it, by this node's clock.</summary>
    public required DateTimeOffset IdleUntil { get; init; }

    /// <summary>When it ends however busy, by this node's clock.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>The last writes that led to it, oldest first, <see cref="Version"/> last, as far as they are known.</summary>
    public IReadOnlyList<SessionVersion> Writes { get; init; } = [];

    /// <summary>The same session after its idle time was slid, at most to its end.</summary>
    public SessionSnapshot KeptUntil(DateTimeOffset idleUntil) => new()
    {
        Version = Version,
        Generation = Generation,
        Created = Created,
        Renewed = Renewed,
        Items = Items,
        IdleUntil = idleUntil < Expires ? idleUntil : Expires,
        Expires = Expires,
        Writes = Writes,
    };

    /// <summary>The same session with other items: what a request is shown that is not in the store.</summary>
    public SessionSnapshot With(IReadOnlyDictionary<string, byte[]> items) => new()
    {
        Version = Version,
        Generation = Generation,
        Created = Created,
        Renewed = Renewed,
        Items = items,
        IdleUntil = IdleUntil,
        Expires = Expires,
    };

    /// <summary>What a visitor without a session starts from.</summary>
    public static SessionSnapshot Empty(DateTimeOffset now, TimeSpan absolute, int generation = 0)
    {
        var created = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        return new SessionSnapshot
        {
            Version = SessionVersion.None,
            Generation = generation,
            Created = created,
            Renewed = created,
            Items = NoItems,
            IdleUntil = now,
            Expires = now + absolute,
        };
    }
}
