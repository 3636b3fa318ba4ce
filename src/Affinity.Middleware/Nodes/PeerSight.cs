namespace Affinity.Nodes;

/// <summary>What the node directory can tell of other nodes.</summary>
internal enum PeerSight
{
    /// <summary>All of them: the nodes share it.</summary>
    All,

    /// <summary>Nothing, and there is no other one: nothing is shared, as in development.</summary>
    Alone,

    /// <summary>Nothing, although there may be others: sessions ride in cookies or lie in a distributed cache, and no store knows the nodes.</summary>
    Blind,
}
