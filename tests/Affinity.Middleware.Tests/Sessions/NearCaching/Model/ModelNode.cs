using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tests.Tickets;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>A real node from the session's view on down, with a network between it and the store that holds answers back and loses announcements.</summary>
internal sealed class ModelNode
{
    private readonly TimeProvider _time;
    private readonly SessionsOptions _options;
    private readonly List<(SessionKey Key, int Generation)> _late = [];
    private readonly Dictionary<SessionKey, int> _refusedBelow = [];
    private readonly Dictionary<SessionKey, int> _seen = [];
    private readonly HashSet<SessionId> _saving = [];
    private readonly SessionHealer _healer;
    private int _hearing;

    public ModelNode(ModelStore store, MemorySessionStore announcements, SessionsOptions options, ManualTime time)
    {
        (_time, _options) = (time, options);
        Network = new SlowStore(store);
        Near = new NearCache(options, time);
        var metrics = TestMetrics.Create();
        var losses = NearSample.Losses(Network, time, metrics);
        _healer = NearSample.Healer(Network, Near, options, time, metrics, losses);
        var loader = new SessionLoader(Network, Near, _healer, losses, options, time, metrics, NullLogger<SessionLoader>.Instance);
        var loop = new SessionSaveLoop(Network, Near, options, time, metrics);
        Sessions = new SessionLifecycle(loader, loop, losses, Network, Near, new FixedKeys(Sample.Key()), options, time, metrics, NullLogger<SessionLifecycle>.Instance);
        announcements.Listen(OnAnnounced);
    }

    public SlowStore Network { get; }

    public NearCache Near { get; }

    public SessionLifecycle Sessions { get; }

    public int Missed { get; private set; }

    public void Hear(int how) => _hearing = how % 3;

    public void HearLate(int which)
    {
        if (_late.Count > 0)
        {
            var (key, generation) = _late[which % _late.Count];
            Refuse(key, generation);
            if (which % 2 == 0)
            {
                _late.RemoveAt(which % _late.Count);
            }
        }
    }

    public int RefusedBelow(SessionKey key) => _refusedBelow.GetValueOrDefault(key);

    public int Seen(SessionKey key) => _seen.GetValueOrDefault(key, -1);

    public void NoteSeen(SessionKey key, int state) => _seen[key] = Math.Max(state, Seen(key));

    /// <summary>Saves of one session queue up on a node; the model has one at a time there, so that every step has ended when it returns.</summary>
    public bool BeginSave(SessionId session) => _saving.Add(session);

    public void EndSave(SessionId session) => _saving.Remove(session);

    public async Task TouchAsync(SessionKey key)
    {
        var idleUntil = _time.GetUtcNow() + _options.IdleTimeout;
        if (await Network.TouchAsync(key, _options.IdleTimeout, default))
        {
            Near.Slide(key, idleUntil);
        }
        else
        {
            Near.Doubt(key);
        }
    }

    private void OnAnnounced(SessionKey key, int generation)
    {
        switch (_hearing)
        {
            case 0:
                Refuse(key, generation);
                break;
            case 1:
                Missed++;
                break;
            default:
                _late.Add((key, generation));
                break;
        }
    }

    private void Refuse(SessionKey key, int generation)
    {
        Near.Refuse(key, generation);
        _refusedBelow[key] = Math.Max(generation, RefusedBelow(key));
    }
}
