using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Affinity.TestKit;

namespace Affinity.LoadBench;

/// <summary>One app of the comparison in a process of its own, with visitors who have sessions.</summary>
internal sealed class Contender : IAsyncDisposable
{
    public const int Visitors = 256;

    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseCookies = false });
    private static readonly string Secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private readonly AppProcess _app;
    private readonly Network _network;

    private Contender(string name, AppProcess app, Network network) => (Name, _app, _network) = (name, app, network);

    public string Name { get; }

    public IReadOnlyList<string> Cookies { get; private set; } = [];

    public static Task<Contender> StartAsync(string name, Network network, int bytes, int visitors = Visitors, string node = "bench") => StartAsync(name, name, network, bytes, visitors, node, []);

    /// <summary>Affinity with another store.</summary>
    public static Task<Contender> StartAsync(string name, Network network, int bytes, params (string Key, string? Value)[] settings) =>
        StartAsync(name, "affinity", network, bytes, Visitors, "bench", settings);

    private static async Task<Contender> StartAsync(string name, string mode, Network network, int bytes, int visitors, string node, (string Key, string? Value)[] settings)
    {
        var app = await AppProcess.StartAsync(new AppStart
        {
            Dll = typeof(Contender).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key is "BenchApp").Value!,
            ReadyPath = "/untouched",
            Configuration = new Dictionary<string, string?>([.. settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))], StringComparer.Ordinal)
            {
                ["Mode"] = mode,
                ["Bytes"] = bytes.ToString(CultureInfo.InvariantCulture),
                ["ConnectionStrings:redis"] = network.ConnectionString,
                ["Affinity:Secrets:0"] = Secret,
                ["Affinity:Ticket:InsecureAllowHttp"] = "true",
                ["Affinity:Node:Id"] = node,
            },
            // As a deployed app runs: the kit's settings for many small processes would measure another runtime.
            Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["DOTNET_gcServer"] = null, ["DOTNET_gcConcurrent"] = null, ["DOTNET_TieredPGO"] = null },
        });
        var contender = new Contender(name, app, network);
        if (name is "noop")
        {
            contender.Cookies = [.. Enumerable.Repeat("none=none", visitors)];
        }
        else
        {
            await contender.GrowAsync(visitors);
        }

        return contender;
    }

    public async Task<Sample> MeasureAsync(Setting setting, TimeSpan duration)
    {
        var address = new Uri(_app.BaseAddress, setting.Path);
        IReadOnlyList<string> cookies = setting.HasCookies ? Cookies : [""];
        var (cpu, commands, bytes, redis) = (Cpu(), _network.Commands, await _network.BytesAsync(), await _network.CpuAsync());
        var (trips, database) = (_network.DatabaseTrips, _network.DatabaseCpu());
        var run = await Wrk.RunAsync(address, cookies, setting.Connections, duration);
        return new Sample(
            run.Requests / run.Microseconds * 1e6, run.P50, run.P99, Each(Cpu() - cpu), Each(_network.Commands - commands), Each(await _network.BytesAsync() - bytes), Each(await _network.CpuAsync() - redis), Each(run.Bytes),
            run.Errors, Each(_network.DatabaseTrips - trips), Each(_network.DatabaseCpu() - database));

        double Each(double all) => all / run.Requests;
    }

    /// <summary>Begins sessions until there are that many. Each visitor keeps the cookies of the first answer: an older ticket met by a newer session is served.</summary>
    public async Task GrowAsync(int visitors)
    {
        var cookies = new string[visitors];
        Cookies.ToArray().CopyTo(cookies, 0);
        await Parallel.ForAsync(Cookies.Count, visitors, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, cancellationToken) =>
        {
            using var answer = (await Client.GetAsync(new Uri(_app.BaseAddress, "write"), cancellationToken)).EnsureSuccessStatusCode();
            cookies[i] = string.Join("; ", answer.Headers.GetValues("Set-Cookie").Select(line => line.Split(';')[0]));
        });
        Cookies = cookies;
    }

    /// <summary>That what was measured was what was meant: all visitors still have their session, and an answer to a read sets no cookie.</summary>
    public async Task CheckAsync()
    {
        foreach (var cookie in Name is "noop" ? [] : Cookies.Take(Visitors))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_app.BaseAddress, "check"));
            request.Headers.Add("Cookie", cookie);
            using var answer = (await Client.SendAsync(request)).EnsureSuccessStatusCode();
            if (await answer.Content.ReadAsStringAsync() is not "found" || answer.Headers.Contains("Set-Cookie"))
            {
                throw new InvalidOperationException($"{Name}: a visitor's session is lost, or a read sets a cookie: {answer}");
            }
        }
    }

    /// <summary>The managed heap after a full collection.</summary>
    public async Task<long> HeapAsync() => long.Parse(await Client.GetStringAsync(new Uri(_app.BaseAddress, "heap")), CultureInfo.InvariantCulture);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Microseconds of processor time since the start: utime and stime of proc(5), in hundredths of a second.</summary>
    private double Cpu()
    {
        var fields = File.ReadAllText($"/proc/{_app.Process.Id}/stat").Split(") ")[1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) * 10_000.0;
    }
}
