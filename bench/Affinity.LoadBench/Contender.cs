using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Affinity.TestKit;

namespace Affinity.LoadBench;

/// <summary>One app of the comparison in a process of its own, with visitors who have sessions.</summary>
internal sealed class Contender : IAsyncDisposable
{
    private const int Visitors = 256;

    private readonly AppProcess _app;
    private readonly Network _network;

    private Contender(string name, AppProcess app, Network network) => (Name, _app, _network) = (name, app, network);

    public string Name { get; }

    public IReadOnlyList<string> Cookies { get; private set; } = [];

    public static async Task<Contender> StartAsync(string name, Network network, int bytes)
    {
        var app = await AppProcess.StartAsync(new AppStart
        {
            Dll = typeof(Contender).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key is "BenchApp").Value!,
            ReadyPath = "/untouched",
            Configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Mode"] = name,
                ["Bytes"] = bytes.ToString(CultureInfo.InvariantCulture),
                ["ConnectionStrings:redis"] = network.ConnectionString,
                ["Affinity:Secrets:0"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
                ["Affinity:Ticket:InsecureAllowHttp"] = "true",
                ["Affinity:Node:Id"] = "bench",
            },
        });
        var contender = new Contender(name, app, network);
        contender.Cookies = name is "noop" ? [.. Enumerable.Repeat("none=none", Visitors)] : await contender.BeginSessionsAsync();
        return contender;
    }

    public async Task<Sample> MeasureAsync(Setting setting, TimeSpan duration)
    {
        var address = new Uri(_app.BaseAddress, setting.Path);
        IReadOnlyList<string> cookies = setting.HasCookies ? Cookies : [""];
        var (cpu, commands, bytes) = (Cpu(), _network.Commands, await _network.BytesAsync());
        var (requests, microseconds, p50, p99, errors) = await Wrk.RunAsync(address, cookies, setting.Connections, duration);
        return new Sample(
            requests / microseconds * 1e6, p50, p99, (Cpu() - cpu) / requests, (double)(_network.Commands - commands) / requests, (double)(await _network.BytesAsync() - bytes) / requests, errors);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<string[]> BeginSessionsAsync()
    {
        var cookies = new string[Visitors];
        for (var i = 0; i < Visitors; i++)
        {
            var visitor = new Visitor();
            (await visitor.GetAsync(_app.BaseAddress, "write")).EnsureSuccessStatusCode().Dispose();
            cookies[i] = string.Join("; ", visitor.Cookies.All().Select(cookie => $"{cookie.Name}={cookie.Value}"));
        }

        return cookies;
    }

    /// <summary>Microseconds of processor time since the start: utime and stime of proc(5), in hundredths of a second.</summary>
    private double Cpu()
    {
        var fields = File.ReadAllText($"/proc/{_app.Process.Id}/stat").Split(") ")[1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) * 10_000.0;
    }
}
