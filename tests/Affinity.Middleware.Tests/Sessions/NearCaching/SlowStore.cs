using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>A store that gives its answers at once and whose network holds them back until a test lets them through: what was true when it was asked arrives later.</summary>
internal sealed class SlowStore(ISessionStore inner) : ISessionStore
{
    private int _reads;
    private int _writes;
    private int _touches;

    /// <summary>Whether answers to reads are held back from now on.</summary>
    public bool HoldsReads { get; set; }

    /// <summary>Whether answers to writes and touches are.</summary>
    public bool HoldsWrites { get; set; }

    /// <summary>The answers that are under way, oldest first. Whoever sets one lets it through, on the same thread.</summary>
    public List<TaskCompletionSource> UnderWay { get; } = [];

    /// <summary>What the last read was answered, and which version it said to know.</summary>
    public (SessionReadKind Kind, SessionVersion Known) LastRead { get; private set; }

    /// <summary>How old it says that its answers are.</summary>
    public TimeSpan Age { get; set; }

    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Reads of whoever may change the record.</summary>
    public int Confirms { get; private set; }

    public int Writes => Volatile.Read(ref _writes);

    public int Touches => Volatile.Read(ref _touches);

    /// <summary>Lets the oldest answer through.</summary>
    public void LetThrough()
    {
        TaskCompletionSource oldest;
        lock (UnderWay)
        {
            oldest = UnderWay[0];
            UnderWay.RemoveAt(0);
        }

        oldest.SetResult();
    }

    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        var read = await inner.ReadAsync(key, known, cancellationToken);
        LastRead = (read.Kind, known);
        await TravelAsync(HoldsReads);
        return read.Session is { } session ? read with { Session = session with { Age = Age } } : read;
    }

    public async ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        Confirms++;
        var read = await inner.ReadLatestAsync(key, known, cancellationToken);
        await TravelAsync(HoldsReads);
        return read;
    }

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _writes);
        var result = await inner.WriteAsync(key, write, cancellationToken);
        await TravelAsync(HoldsWrites);
        return result;
    }

    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        var touched = await inner.TouchAsync(key, idle, cancellationToken);
        Interlocked.Increment(ref _touches);
        await TravelAsync(HoldsWrites);
        return touched;
    }

    public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => inner.DeleteAsync(key, remember, cancellationToken);

    private Task TravelAsync(bool held)
    {
        if (!held)
        {
            return Task.CompletedTask;
        }

        var travel = new TaskCompletionSource();
        lock (UnderWay)
        {
            UnderWay.Add(travel);
        }

        return travel.Task;
    }
}
