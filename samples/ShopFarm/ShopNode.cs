using System.Net.Http.Json;

namespace ShopFarm;

/// <summary>What a node says of itself at <c>/affinity/health/live</c>.</summary>
internal sealed record NodeStatus(string State, int InFlight, long Requests);

/// <summary>One shop: a name, a port, and a process that comes and goes.</summary>
internal sealed class ShopNode(string name, int port, string logs, IReadOnlyDictionary<string, string> environment) : IAsyncDisposable
{
    private static readonly HttpClient Probe = new() { Timeout = TimeSpan.FromSeconds(1) };

    private ChildProcess? _process;

    public string Name { get; } = name;

    public int Port { get; } = port;

    public Uri Address { get; } = new($"http://127.0.0.1:{port}");

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts the shop and returns when it takes visitors.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var own = new Dictionary<string, string>(environment, StringComparer.Ordinal)
        {
            ["Affinity__Node__Id"] = Name,
            ["ASPNETCORE_URLS"] = Address.ToString(),
        };
        var folder = Path.Combine(Tools.Repository, "samples", "ShopSample");
        _process = await ChildProcess.StartAsync(Name, logs, folder, ["dotnet", Tools.ShopSample], own);
        await _process.WaitUntilAsync(IsReadyAsync, cancellationToken);
    }

    public Task KillAsync() => _process?.KillAsync() ?? Task.CompletedTask;

    public void Drain() => _process?.Terminate();

    /// <summary>Null when it does not answer.</summary>
    public async Task<NodeStatus?> AskAsync()
    {
        try
        {
            return await Probe.GetFromJsonAsync<NodeStatus>(new Uri(Address, "/affinity/health/live"));
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await Probe.GetAsync(new Uri(Address, "/affinity/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
