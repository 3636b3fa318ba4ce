namespace Affinity.Sessions;

/// <summary>
/// Whether the store was silent a moment ago, so that who can do without it does not wait for it as well. It is asked by one call at a time until it answers, each node at moments of its own.
/// Safe for concurrent use.
/// </summary>
internal sealed class StoreSilence(SessionsOptions options, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Ticks of UTC; 0 while it answers.
    private long _until;

    /// <summary>Whether it was silent when it was asked last.</summary>
    public bool IsSilent => Volatile.Read(ref _until) != 0;

    /// <summary>Whether the store may be asked; for a silent one the caller that is told so is the one that tries.</summary>
    public bool MayAsk()
    {
        var until = Volatile.Read(ref _until);
        if (until == 0)
        {
            return true;
        }

        var now = time.GetUtcNow().UtcTicks;
        return now >= until && Interlocked.CompareExchange(ref _until, now + options.StoreTimeout.Ticks + Pause.Ticks, until) == until;
    }

    /// <summary>It did not answer in time.</summary>
    public void Begin() => Volatile.Write(ref _until, (time.GetUtcNow() + (Pause * (0.75 + (Random.Shared.NextDouble() / 4)))).UtcTicks);

    /// <summary>It has answered.</summary>
    public void End()
    {
        if (IsSilent)
        {
            Volatile.Write(ref _until, 0);
        }
    }
}
