using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>A promise that was broken.</summary>
internal sealed class BrokenPromiseException(string promise) : Exception(promise);

/// <summary>Three nodes, three browsers and one store, which do what a plan says, one event after another on one thread; every load and every write is held against what is true.</summary>
internal sealed class ModelWorld
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Absolute = TimeSpan.FromSeconds(75);

    // How often each act, out of twenty: mostly reads.
    private static readonly ModelAct[] Acts =
    [
        ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Read, ModelAct.Set, ModelAct.Set, ModelAct.Set, ModelAct.Set,
        ModelAct.SetOwn, ModelAct.SetOwn, ModelAct.Increment, ModelAct.Increment, ModelAct.Increment, ModelAct.Renew, ModelAct.Abandon,
    ];

    private readonly ManualTime _time = new();
    private readonly ModelThread _thread = new();
    private readonly ModelStore _store;
    private readonly ModelNode[] _nodes;
    private readonly ModelBrowser[] _browsers = [new(), new(), new()];
    private readonly List<ModelRequest> _requests = [];
    private int _sent;

    private ModelWorld()
    {
        var memory = new MemorySessionStore(_time);
        var options = new SessionsOptions { IdleTimeout = Idle, AbsoluteTimeout = Absolute, StoreTimeout = TimeSpan.FromMinutes(1) };
        options.NearCache.MaxAge = NearSample.MaxAge;
        _store = new ModelStore(memory, _time);
        _nodes = [.. Enumerable.Range(0, 3).Select(_ => new ModelNode(_store, memory, options, _time))];
    }

    /// <summary>How often what happened, so that a test can see that its plans lead anywhere.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <exception cref="BrokenPromiseException">A promise was broken.</exception>
    public static ModelWorld Run(IEnumerable<ModelStep> plan)
    {
        var world = new ModelWorld();
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(world._thread);
        try
        {
            foreach (var step in plan)
            {
                world.Do(step);
                world.Settle();
            }

            world.Finish();
            return world;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    public static void Hold(bool promise, string text)
    {
        if (!promise)
        {
            throw new BrokenPromiseException(text);
        }
    }

    public static bool Same(Dictionary<string, int> expected, IReadOnlyDictionary<string, byte[]> items) =>
        expected.Count == items.Count && expected.All(pair => items.TryGetValue(pair.Key, out var value) && BitConverter.ToInt32(value) == pair.Value);

    private void Do(ModelStep step)
    {
        var node = _nodes[step.A % 3];
        switch (step.Event)
        {
            case ModelEvent.Send:
                Send(_browsers[step.A % 3], _nodes[step.B % 3], Acts[step.C]);
                break;
            case ModelEvent.Work:
                Pick(request => request.IsRunning, step.A, Work);
                break;
            case ModelEvent.Receive:
                Pick(request => request.IsAnswered, step.A, Receive);
                break;
            case ModelEvent.Advance:
                _time.Advance(ModelStep.Pauses[((step.A * 6) + step.B + step.C) % ModelStep.Pauses.Length]);
                break;
            case ModelEvent.Hold:
                (node.Network.HoldsReads, node.Network.HoldsWrites) = (step.B % 2 == 1, step.B / 2 % 2 == 1);
                break;
            case ModelEvent.Arrive:
                Arrive(node, step.B);
                break;
            case ModelEvent.Hearing:
                node.Hear(step.B);
                break;
            case ModelEvent.HearLate:
                node.HearLate(step.B);
                break;
            case ModelEvent.Touch when _browsers[step.B % 3].Jar is { } ticket:
                _ = node.TouchAsync(SessionKey.Of(ticket.Session));
                break;
            case ModelEvent.Clone:
                _browsers[step.A % 3].Jar = _browsers[step.B % 3].Jar;
                break;
        }
    }

    private void Pick(Func<ModelRequest, bool> which, int number, Action<ModelRequest> act)
    {
        var candidates = _requests.Where(which).ToList();
        if (candidates.Count > 0)
        {
            act(candidates[number % candidates.Count]);
        }
    }

    private static void Arrive(ModelNode node, int which)
    {
        if (node.Network.UnderWay is { Count: > 0 } underWay)
        {
            var answer = underWay[which % underWay.Count];
            underWay.Remove(answer);
            answer.SetResult();
        }
    }

    private void Send(ModelBrowser browser, ModelNode node, ModelAct act)
    {
        if (browser.Waits || (act == ModelAct.SetOwn && browser != _browsers[0]))
        {
            return;
        }

        var now = _time.GetUtcNow();
        var ticket = browser.Jar is { } jar && now < jar.Expires ? jar : null; // an expired one is refused by the ticket stage
        var key = ticket is null ? default : SessionKey.Of(ticket.Session);
        var request = new ModelRequest(++_sent, browser, node, act, ticket)
        {
            Began = now,
            WasOver = ticket is not null && _store.Of(key).IsOver(now),
            RefusedBelow = ticket is null ? 0 : node.RefusedBelow(key),
            Floor = ticket is null ? -1 : node.Seen(key),
        };
        browser.Waits = browser == _browsers[0];
        _requests.Add(request);
        if (ticket is null)
        {
            request.IsRunning = true;
        }
        else
        {
            request.Loading = node.Sessions.LoadAsync(ticket, CancellationToken.None).AsTask();
        }
    }

    /// <summary>Takes up what the last event has completed.</summary>
    private void Settle()
    {
        _thread.RunAll();
        foreach (var request in _requests)
        {
            if (request.Loading is { IsCompleted: true } loaded)
            {
                request.Loading = null;
                Loaded(request, loaded.GetAwaiter().GetResult());
            }

            if (request.Working is { IsCompleted: true } worked)
            {
                request.Working = null;
                worked.GetAwaiter().GetResult();
                request.IsAnswered = true;
            }
        }
    }

    private void Loaded(ModelRequest request, SessionLoadResult result)
    {
        request.IsRunning = true;
        var truth = _store.Of(SessionKey.Of(request.Ticket!.Session));
        Count((result.IsNear ? "near " : "store ") + result.Kind);
        switch (result.Kind)
        {
            case SessionLoadKind.Found:
                ModelPromises.Check(request, result.Snapshot!, truth);
                request.Node.NoteSeen(SessionKey.Of(request.Ticket.Session), truth.IndexOf(result.Snapshot!.Version));
                (request.Snapshot, request.Session) = (result.Snapshot, request.Ticket.Session);
                break;
            case SessionLoadKind.Ended:
                Hold(truth.EndedAt is not null, "A living session was taken for ended.");
                break;
            case SessionLoadKind.Absent:
                Hold(truth.IsOver(_time.GetUtcNow()), "A living session was taken for absent.");
                break;
            case SessionLoadKind.Superseded or SessionLoadKind.JustSuperseded:
                Hold(truth.States[^1].Generation > request.Ticket.Generation, "A valid ticket was refused as superseded.");
                request.MustNotBegin = result.Kind == SessionLoadKind.JustSuperseded;
                break;
            default:
                throw new BrokenPromiseException($"The store has lost nothing and the node says {result.Kind}.");
        }
    }

    private void Work(ModelRequest request)
    {
        if (request.Session.IsDefault)
        {
            request.Session = SessionId.Create();
        }

        if (request.Node.BeginSave(request.Session))
        {
            request.IsRunning = false;
            _store.Writer.Value = request;
            request.Working = WorkAsync(request);
            _store.Writer.Value = null;
        }
    }

    /// <summary>What the session's view does for a request.</summary>
    private async Task WorkAsync(ModelRequest request)
    {
        try
        {
            if (request.Act == ModelAct.Abandon && request.Snapshot is not null)
            {
                await request.Node.Sessions.AbandonAsync(request.Session, CancellationToken.None);
                request.RemovesCookie = true;
                Count("abandoned");
            }
            else if (request.Act is not (ModelAct.Read or ModelAct.Abandon) && !request.MustNotBegin && (request.Snapshot is not null || request.Act != ModelAct.Renew))
            {
                var start = request.Snapshot ??= SessionSnapshot.Empty(_time.GetUtcNow(), Absolute);
                request.Saved = (await request.Node.Sessions.SaveAsync(request.Session, start, request.ToDelta())).Session;
                Hold(request.Applied == 1, "A change was said to be saved and was not.");
                var saved = request.Saved;
                request.Node.NoteSeen(SessionKey.Of(request.Session), _store.Of(SessionKey.Of(request.Session)).IndexOf(saved.Version));
                request.SetCookie = new Ticket(request.Session, saved.Version, saved.Generation, _time.GetUtcNow(), saved.IdleUntil, saved.Expires);
                Count(request.Act == ModelAct.Renew ? "renewed" : "saved");
            }
        }
        catch (SessionEndedException e)
        {
            Hold(request.Applied == 0, "A change was refused and saved.");
            Count("refused " + e.Ending);
        }
        finally
        {
            request.Node.EndSave(request.Session);
        }
    }

    private void Receive(ModelRequest request)
    {
        _requests.Remove(request);
        var browser = request.Browser;
        browser.Waits = false;
        if (request.SetCookie is { } ticket)
        {
            Count(browser.Jar is { } jar && jar.Session == ticket.Session && jar.Version.Counter > ticket.Version.Counter ? "cookie overtaken" : "cookie");
            browser.Jar = ticket;
            browser.Own = request.Act == ModelAct.SetOwn ? (request.Session, request.Number) : browser.Own;
        }
        else if (request.RemovesCookie)
        {
            browser.Jar = null;
        }
    }

    /// <summary>All comes to rest, and when nothing that is remembered counts any more every node knows the truth.</summary>
    private void Finish()
    {
        foreach (var node in _nodes)
        {
            (node.Network.HoldsReads, node.Network.HoldsWrites) = (false, false);
            Count("announcement missed", node.Missed);
        }

        for (var rounds = 0; _requests.Count > 0; rounds++)
        {
            Hold(rounds < 10_000, "A request never ends.");
            _time.Advance(TimeSpan.FromMilliseconds(1)); // a save that met a conflict again and again waits before it tries once more
            Array.ForEach(_nodes, node => Arrive(node, 0));
            Settle();
            Pick(request => request.IsRunning, 0, Work);
            Settle();
            Pick(request => request.IsAnswered, 0, Receive);
        }

        _time.Advance(NearSample.MaxAge);
        foreach (var (browser, node) in _browsers.SelectMany(browser => _nodes.Select(node => (browser, node))))
        {
            Send(browser, node, ModelAct.Read);
            Settle();
            var request = _requests.Single();
            Hold(request.Snapshot is null || request.Snapshot.Version == _store.Of(SessionKey.Of(request.Session)).States[^1].Version, "A node does not come to know the truth.");
            Work(request);
            Settle();
            Receive(request);
        }

        Count("conflict", _store.Conflicts);
        Count("unchanged", _store.Unchanged);
    }

    private void Count(string what, int times = 1) => Counts[what] = Counts.GetValueOrDefault(what) + times;
}
