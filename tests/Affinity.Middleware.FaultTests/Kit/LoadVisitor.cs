using System.Diagnostics;
using System.Net.Http.Json;
using Affinity.FaultTests.History;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;

namespace Affinity.FaultTests.Kit;

/// <summary>A visitor who sends one request after another, and keeps the history of them.</summary>
internal sealed class LoadVisitor(int number, ProbeFarm farm, Scene scene)
{
    private readonly IReadOnlyList<Uri> _nodes = [.. farm.Nodes.Select(node => node.BaseAddress), .. scene.More];
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private const int StepsPerSession = 14;

    private readonly List<HistoryEvent> _history = [];
    private readonly List<(int Session, Visitor Copy)> _ended = [];
    private readonly Dictionary<string, int> _renamed = new(StringComparer.Ordinal) { ["a"] = 0, ["b"] = 0, ["c"] = 0 };
    private Visitor _browser = Browser(scene);
    private int _session;
    private int _saved;
    private int _moves;
    private long _value;

    public IReadOnlyList<HistoryEvent> History => _history;

    /// <summary>How many saves were answered; may be read by others meanwhile.</summary>
    public int Saved => Volatile.Read(ref _saved);

    /// <summary>Every fourth visitor ends sessions and begins new ones.</summary>
    private bool Ends => number % 4 == 3;

    public async Task RunAsync(Func<bool> mayEnd, CancellationToken end)
    {
        if (scene.Begins is not null)
        {
            await SetAsync("a", number);
        }

        for (var step = 0; !end.IsCancellationRequested; step++)
        {
            if (Ends && step % StepsPerSession == StepsPerSession - 1 && mayEnd())
            {
                await EndAsync(Node(step));
            }
            else
            {
                await StepAsync(step, Node(step));
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    /// <summary>Reads on each node, also with the cookies of the sessions that were ended. False: a node does not answer.</summary>
    public async Task<bool> ReadEverywhereAsync()
    {
        var answered = true;
        for (var node = 0; node < _nodes.Count; node++)
        {
            answered &= await InsistAsync(Act.Read, _session, _browser, node);
            foreach (var (session, copy) in _ended)
            {
                answered &= await InsistAsync(Act.Haunt, session, copy, node);
            }
        }

        return answered;
    }

    /// <summary>One write of a value that the caller will see to: answers the event, which is in the history.</summary>
    public Task<HistoryEvent> WriteAsync(int node, Func<string, string, string> path) => SetAsync("a", node, path);

    private static Visitor Browser(Scene scene) => new() { Patience = scene.Patience };

    private async Task<bool> InsistAsync(Act act, int session, Visitor browser, int node)
    {
        for (var tries = 0; tries < 10; tries++)
        {
            if ((await SendAsync(new HistoryEvent { Visitor = number, Session = session, Act = act, Status = 0 }, browser, HttpMethod.Get, "history", node)).IsAnswered)
            {
                return true;
            }

            await Task.Delay(300);
        }

        return false;
    }

    private int Node(int step) => number + (scene.Sticky ? _moves : step);

    private Task<HistoryEvent> StepAsync(int step, int node) => ((step + number) % 8) switch
    {
        0 => SetAsync("a", node),
        1 or 4 or 6 => SendAsync(New(Act.Add), _browser, HttpMethod.Post, "history/add/" + HistoryChecker.Counter, node),
        3 => SetAsync("b", node),
        5 => SetAsync("c", node),
        _ => SendAsync(New(Act.Read), _browser, HttpMethod.Get, "history", node),
    };

    private async Task<HistoryEvent> SetAsync(string slot, int node, Func<string, string, string>? path = null)
    {
        var key = slot + _renamed[slot];
        var text = HistoryEvent.Text(number, _session, ++_value);
        var sent = await SendAsync(New(Act.Set) with { Key = key, Value = _value }, _browser, HttpMethod.Post, path?.Invoke(key, text) ?? $"history/set/{key}/{text}", node);
        if (sent.Status == 0)
        {
            // It may still be under way, and of two that set one key the later one wins, whichever that is: so nobody else sets this one.
            _renamed[slot]++;
        }

        return sent;
    }

    private async Task EndAsync(int node)
    {
        var copy = _browser.Clone();
        var ended = await SendAsync(New(Act.Abandon), _browser, HttpMethod.Post, "abandon", node);
        if (ended.IsAnswered)
        {
            _ended.Add((_session, copy));
        }

        _browser = Browser(scene);
        _session++;
    }

    private HistoryEvent New(Act act) => new() { Visitor = number, Session = _session, Act = act, Status = 0 };

    private async Task<HistoryEvent> SendAsync(HistoryEvent e, Visitor browser, HttpMethod method, string path, int node)
    {
        var address = _history.Count == 0 && scene.Begins is { } first ? first : _nodes[node % _nodes.Count];
        var began = Stopwatch.GetTimestamp();
        e = e with { Node = "node-" + (node % _nodes.Count) };
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(address, path));
            using var response = await browser.SendAsync(request);
            var answer = response.IsSuccessStatusCode && e.Act != Act.Abandon ? await response.Content.ReadFromJsonAsync<HistoryAnswer>() : null;
            e = e with { Status = (int)response.StatusCode };
            e = answer is null ? e : e with { ToldLost = answer.Lost, Items = answer.Items, Store = answer.Store, Version = answer.Version };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // A balancer would send the next one elsewhere.
            _moves++;
        }

        e = e with { Took = Stopwatch.GetElapsedTime(began) };
        _history.Add(e);
        Volatile.Write(ref _saved, _saved + (e is { IsAnswered: true, Act: Act.Set or Act.Add } ? 1 : 0));
        return e;
    }
}
