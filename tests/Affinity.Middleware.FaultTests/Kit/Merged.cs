namespace Affinity.FaultTests.Kit;

/// <summary>What the suite may ask for beyond "told": each switch tightens the rows that name it.</summary>
internal static class Merged
{
    /// <summary>Saves ride in the ticket while the store is away: no request fails for want of the store.</summary>
    public static bool OutageJournal => false;

    /// <summary>A node that still has what the store has lost writes it back: visitors of live nodes lose nothing.</summary>
    public static bool Healing => false;

    /// <summary>A save that meets a state of the store which is not newer than what the node knew, as after a fail-over, tells the loss instead of merging over it.</summary>
    public static bool SavesTellLosses => false;

    /// <summary>A state of the store with a higher counter that does not descend from what the visitor has seen is told, as with two primaries.</summary>
    public static bool TellsForeignHistories => false;
}
