namespace Affinity.Backends.Standby;

/// <summary>Reports every fault of <see cref="StandbyStoreOptions"/> with its cure.</summary>
internal static class StandbyStoreOptionsValidator
{
    private static readonly TimeSpan Most = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <param name="options">The settings.</param>
    /// <param name="isReadable">Whether the connection string can be read.</param>
    /// <param name="isFirstShared">Whether there is a first store that knows which nodes live.</param>
    /// <param name="deadAfter">When the first store's directory takes a node for dead.</param>
    public static IEnumerable<string> Faults(StandbyStoreOptions options, bool isReadable, bool isFirstShared, TimeSpan deadAfter)
    {
        if (options.Configuration is not null && !isReadable)
        {
            yield return "Affinity:StandbyStore:Configuration (or ConnectionStrings:affinity-standby) is not a connection string of StackExchange.Redis that names a server; write it like 'host:6379,password=…,ssl=true'.";
        }
        else if (options.Configuration is not null && !isFirstShared)
        {
            yield return "Affinity:StandbyStore:Configuration names a standby, but there is no first store that all instances reach: set ConnectionStrings:redis, or ConnectionStrings:affinity-db with the package Affinity.Postgres, or leave the standby out.";
        }

        if (options.MoveAfter < Least || options.MoveAfter > Most)
        {
            yield return "Affinity:StandbyStore:MoveAfter must be from 1 second to 10 minutes, like '00:00:15'.";
        }
        else if (options.Configuration is not null && options.MoveAfter <= deadAfter)
        {
            yield return $"Affinity:StandbyStore:MoveAfter must be longer than Affinity:Node:DeadAfter ({deadAfter}), so that a node which is cut off is missed before it has all others move.";
        }
    }
}
