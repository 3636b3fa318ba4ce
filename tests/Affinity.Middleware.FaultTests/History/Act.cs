namespace Affinity.FaultTests.History;

/// <summary>What a visitor asked for.</summary>
internal enum Act
{
    /// <summary>Sets one key to a value that rises with every request of the visitor.</summary>
    Set,

    /// <summary>Adds one to <see cref="HistoryChecker.Counter"/>, by Update.</summary>
    Add,

    /// <summary>Reads everything.</summary>
    Read,

    /// <summary>Ends the session. What comes next, with an empty jar, is the visitor's next session.</summary>
    Abandon,

    /// <summary>Reads everything with the cookies of a session that was ended, long enough after its end.</summary>
    Haunt,
}
