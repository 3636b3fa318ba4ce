namespace ShopFarm;

/// <summary>The nodes as they are, twice a second: redrawn in place on a terminal, a plain line per change of state otherwise.</summary>
internal sealed class LiveTable : IAsyncDisposable
{
    private const string ClearToEnd = "\e[K";

    private readonly Farm _farm;
    private readonly CancellationTokenSource _end = new();
    private readonly bool _inPlace = !Console.IsOutputRedirected;
    private readonly Task _drawing;
    private string _lastStates = "";
    private int _height;

    private LiveTable(Farm farm)
    {
        _farm = farm;
        _drawing = DrawOnAsync();
    }

    /// <summary>The node that the keys act on.</summary>
    public int Selected { get; set; }

    /// <summary>What happened last.</summary>
    public string Note { get; set; } = "";

    public static LiveTable Show(Farm farm) => new(farm);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _drawing;
        _end.Dispose();
    }

    private async Task DrawOnAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
            do
            {
                var status = await Task.WhenAll(_farm.Nodes.Select(n => n.AskAsync()));
                var sessions = await _farm.Store.CountSessionsAsync();
                if (_inPlace)
                {
                    Redraw(Table(status, sessions));
                }
                else
                {
                    Tell(status, sessions);
                }
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // The farm stops.
        }
    }

    private void Redraw(List<string> lines)
    {
        var up = _height > 0 ? $"\e[{_height}A" : "";
        Console.Write(up + string.Concat(lines.Select(l => l + ClearToEnd + "\n")));
        _height = lines.Count;
    }

    private void Tell(NodeStatus?[] status, int? sessions)
    {
        var states = string.Join("  ", _farm.Nodes.Zip(status, (n, s) => $"{n.Name} {State(n, s)}"));
        if (!string.Equals(states, _lastStates, StringComparison.Ordinal))
        {
            _lastStates = states;
            Console.WriteLine($"{states}  {SessionsLine(sessions)}");
        }
    }

    private List<string> Table(NodeStatus?[] status, int? sessions)
    {
        List<string> lines = ["", "    node      state        requests   in flight"];
        for (var i = 0; i < status.Length; i++)
        {
            var (node, now) = (_farm.Nodes[i], status[i]);
            lines.Add($"{(i == Selected ? " >" : "  ")}{i + 1} {node.Name,-9} {State(node, now),-11} {now?.Requests,9}   {now?.InFlight,9}");
        }

        lines.Add($"    {SessionsLine(sessions)}");
        lines.Add("");
        lines.Add(Console.IsInputRedirected ? "Ctrl-C stops all" : "1 2 3 select   k kill   s start again   d drain   q stop all");
        lines.Add(Note);
        return lines;
    }

    private static string SessionsLine(int? sessions) => sessions is null ? "" : $"{sessions} session(s) in the store, shared by all";

    private static string State(ShopNode node, NodeStatus? status) => (node.IsRunning, status) switch
    {
        (false, _) => "stopped",
        (true, null) => "starting",
        (true, { } s) => s.State,
    };
}
