namespace Affinity.Backends;

/// <summary>A cache of sessions could not do what was asked. Nothing is lost by it: the database is asked instead.</summary>
/// <param name="message">One sentence, without keys.</param>
/// <param name="isAway">Whether the next call would meet the same; false: this one was refused, or met a damaged record.</param>
/// <param name="inner">Why.</param>
#pragma warning disable CA1032, CA1064 // Internal, thrown and caught in two places: nobody makes one without saying whether the cache is away.
internal sealed class SessionCacheException(string message, bool isAway, Exception inner) : Exception(message, inner)
#pragma warning restore CA1032, CA1064
{
    public bool IsAway { get; } = isAway;
}
