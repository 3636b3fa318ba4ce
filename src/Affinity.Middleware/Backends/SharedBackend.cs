using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends;

/// <summary>One kind of store, as a backend offers it: the root takes the one that the settings name, and asks for its parts when the first of them is needed.</summary>
internal sealed record SharedBackend(StoreKind Kind)
{
    /// <summary>Where sessions lie.</summary>
    public required Func<IServiceProvider, ISessionStore> Sessions { get; init; }

    /// <summary>Null: endings are not announced, and memory is bounded by its age alone.</summary>
    public Func<IServiceProvider, ISessionAnnouncements>? Announcements { get; init; }

    /// <summary>Null: the nodes do not know each other.</summary>
    public Func<IServiceProvider, INodeDirectory>? Nodes { get; init; }

    /// <summary>Null: keys lie elsewhere.</summary>
    public Func<IServiceProvider, IKeyVault>? Keys { get; init; }

    /// <summary>The options class of its own section below <c>Affinity</c>, which is named like the class: PostgresOptions is read from <c>Affinity:Postgres</c>. Null: none, or one of Affinity's own.</summary>
    public Type? Options { get; init; }

    /// <summary>What is wrong with these options, so that it is told together with all else.</summary>
    public Func<IEnumerable<string>> Faults { get; init; } = static () => [];
}
