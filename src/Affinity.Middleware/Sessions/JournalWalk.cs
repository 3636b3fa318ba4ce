using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>What became of one entry.</summary>
internal enum JournalStep
{
    /// <summary>The store holds it.</summary>
    Done,

    /// <summary>So many have written since that nobody can tell whether it has arrived: left out.</summary>
    Stale,

    /// <summary>The session was abandoned.</summary>
    Ended,

    /// <summary>Somebody else has signed in since.</summary>
    Superseded,
}

/// <summary>How far the replay of one journal has come.</summary>
/// <param name="current">The session as it was found; Version None when there is none.</param>
/// <param name="provenGeneration">The generation in the store that the ticket proves without its journal.</param>
/// <param name="mostGeneration">The same with the journal's sign-ins.</param>
internal sealed class JournalWalk(SessionSnapshot current, int provenGeneration, int mostGeneration)
{
    /// <summary>The session with what has been replayed so far.</summary>
    public SessionSnapshot Current { get; set; } = current;

    /// <summary>The generation that the session must have for the next entry, unless the store knows that entry.</summary>
    public int Proven { get; set; } = provenGeneration;

    /// <summary>The highest generation that this visitor may be shown.</summary>
    public int Most { get; } = mostGeneration;

    /// <summary>The least generation that is left behind.</summary>
    public int Floor { get; set; }

    /// <summary>The version since which only this walk has written, so that the store need not be asked about tags of entries on it; null when that is not known.</summary>
    public SessionVersion? OwnSince { get; set; }

    /// <summary>What became of the last entry.</summary>
    public JournalStep Step { get; set; }

    /// <summary>Whether something of the session, or of the journal, is lost.</summary>
    public bool IsLost { get; set; }
}
