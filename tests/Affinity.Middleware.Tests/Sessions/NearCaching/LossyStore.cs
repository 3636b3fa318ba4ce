using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>A store that loses, when told to, everything or the last that it has acknowledged, endings included. A replica of it can be left behind to answer in its place, reads only.</summary>
internal sealed class LossyStore(ManualTime time) : ISessionStore
{
    private readonly List<Func<ISessionStore, ValueTask>> _changes = [];
    private MemorySessionStore _now = new(time);
    private MemorySessionStore? _replica;

    public int Reads { get; private set; }

    public int Confirms { get; private set; }

    public int Writes { get; private set; }

    public int Testimonies { get; private set; }

    /// <summary>Every change fails, as on a full disk.</summary>
    public bool RefusesWrites { get; set; }

    /// <summary>How many changes it holds, to come back to.</summary>
    public int Mark => _changes.Count;

    public void LoseEverything() => (_now, _) = (new MemorySessionStore(time), Forget(0));

    /// <summary>A restore of an older state. Limits of time start anew with it.</summary>
    public async Task GoBackAsync(int mark)
    {
        Forget(mark);
        _now = await CopyAsync(mark);
    }

    /// <summary>The primary is away; a replica that knows what was written up to the mark answers reads and refuses all else, until the primary is back.</summary>
    public async Task LetReplicaAnswerAsync(int mark) => _replica = await CopyAsync(mark);

    public void PrimaryIsBack() => _replica = null;

    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        Reads++;
        return (_replica ?? _now).ReadAsync(key, known, cancellationToken);
    }

    public ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        Confirms++;
        ThrowIfReplica();
        return _now.ReadAsync(key, known, cancellationToken);
    }

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        Writes++;
        ThrowIfReplica();
        var result = await _now.WriteAsync(key, write, cancellationToken);
        if (result.Kind == SessionWriteKind.Written)
        {
            _changes.Add(async store => await store.WriteAsync(key, write, CancellationToken.None));
        }

        return result;
    }

    public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        ThrowIfReplica();
        return _now.TouchAsync(key, idle, cancellationToken);
    }

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        ThrowIfReplica();
        await _now.DeleteAsync(key, remember, cancellationToken);
        _changes.Add(store => store.DeleteAsync(key, remember, CancellationToken.None));
    }

    public ValueTask<string?> TestifyAsync(CancellationToken cancellationToken)
    {
        Testimonies++;
        return ValueTask.FromResult<string?>("master_replid 2, before 1");
    }

    private void ThrowIfReplica()
    {
        if (_replica is not null || RefusesWrites)
        {
            throw new SessionStoreException(SessionStoreFault.NotApplied, "READONLY");
        }
    }

    private int Forget(int mark)
    {
        _changes.RemoveRange(mark, _changes.Count - mark);
        return mark;
    }

    private async Task<MemorySessionStore> CopyAsync(int mark)
    {
        var copy = new MemorySessionStore(time);
        foreach (var change in _changes.Take(mark))
        {
            await change(copy);
        }

        return copy;
    }
}
