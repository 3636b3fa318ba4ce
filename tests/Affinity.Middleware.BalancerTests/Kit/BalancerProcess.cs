using Affinity.TestKit;
using ShopFarm.Balancers;

namespace Affinity.BalancerTests.Kit;

/// <summary>One running instance of a balancer, configured by its template.</summary>
internal sealed class BalancerProcess : IAsyncDisposable
{
    private readonly TempDirectory _folder = new();
    private ServerProcess? _process;

    private BalancerProcess(BalancerPlan plan) => Address = new Uri($"http://{plan.Address}:{plan.Port}/");

    public Uri Address { get; }

    public static async Task<BalancerProcess> StartAsync(BalancerTemplate template, Needs program, BalancerPlan plan)
    {
        var balancer = new BalancerProcess(plan);
        var folder = balancer._folder.Path;
        try
        {
            balancer._process = await ServerProcess.StartAsync(new ServerStart
            {
                FileName = Requirements.PathOf(program),
                Arguments = template.Prepare(plan, folder),
                WorkingDirectory = folder,
                // Caddy keeps what it knows in the user's folders otherwise.
                Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["XDG_DATA_HOME"] = folder, ["XDG_CONFIG_HOME"] = folder },
                Ready = Readiness.Http(new Uri(balancer.Address, "affinity/health/live")),
            });
            return balancer;
        }
        catch
        {
            await balancer.DisposeAsync();
            throw;
        }
    }

    public void Kill() => _process!.Kill();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }
}
