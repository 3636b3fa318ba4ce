using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>All that ever was true of one session, by what its store was told, computed apart from the code under test.</summary>
internal sealed class ModelTruth
{
    public List<(SessionVersion Version, int Generation, Dictionary<string, int> Content, DateTimeOffset At)> States { get; } = [];

    public DateTimeOffset? EndedAt { get; set; }

    public DateTimeOffset IdleUntil { get; set; }

    public DateTimeOffset Expires { get; set; }

    public int IndexOf(SessionVersion version) => States.FindIndex(state => state.Version == version);

    public bool IsOver(DateTimeOffset now) => EndedAt is not null || now >= IdleUntil;

    public void Slide(DateTimeOffset now, TimeSpan idle) => IdleUntil = now + idle < Expires ? now + idle : Expires;
}

/// <summary>The one store of all nodes, which writes down what was done and refuses to go on when that loses an update or brings back what was over.</summary>
internal sealed class ModelStore(ISessionStore inner, ManualTime time) : ISessionStore
{
    private readonly Dictionary<SessionKey, ModelTruth> _truths = [];

    /// <summary>On whose behalf the store is called; follows the request over its awaits.</summary>
    public AsyncLocal<ModelRequest?> Writer { get; } = new();

    public int Conflicts { get; private set; }

    public int Unchanged { get; private set; }

    public ModelTruth Of(SessionKey key) => _truths.TryGetValue(key, out var truth) ? truth : _truths[key] = new ModelTruth();

    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        var read = await inner.ReadAsync(key, known, cancellationToken);
        Unchanged += read.Kind == SessionReadKind.Unchanged ? 1 : 0;
        return read;
    }

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        var result = await inner.WriteAsync(key, write, cancellationToken);
        Conflicts += result.Kind == SessionWriteKind.Conflict ? 1 : 0;
        if (result.Kind == SessionWriteKind.Written)
        {
            Note(Of(key), write, Writer.Value!);
        }

        return result;
    }

    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        var touched = await inner.TouchAsync(key, idle, cancellationToken);
        if (touched)
        {
            Of(key).Slide(time.GetUtcNow(), idle);
        }

        return touched;
    }

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        await inner.DeleteAsync(key, remember, cancellationToken);
        Of(key).EndedAt ??= time.GetUtcNow();
    }

    private void Note(ModelTruth truth, SessionWrite write, ModelRequest request)
    {
        var now = time.GetUtcNow();
        var before = truth.States.LastOrDefault();
        ModelWorld.Hold(truth.States.Count == 0 || !truth.IsOver(now), "A session that was over came back.");
        ModelWorld.Hold(truth.States.Count == 0 || request.Snapshot!.Generation == before.Generation, "A request from before a renewal was saved.");
        ModelWorld.Hold(++request.Applied == 1, "A change was applied twice.");
        ModelWorld.Hold(SessionCodec.TryDecode(write.Payload.Span, out _, out _, out var items), "Nonsense was saved.");
        var content = request.ApplyTo(before.Content ?? []);
        ModelWorld.Hold(ModelWorld.Same(content, items), "An update was lost.");
        if (truth.States.Count == 0)
        {
            truth.Expires = now + write.Absolute;
        }

        truth.States.Add((write.Next, write.Generation, content, now));
        truth.Slide(now, write.Idle);
    }
}
