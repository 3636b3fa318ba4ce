using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Affinity.TestKit;
using ShopFarm.Balancers;
using Xunit;

namespace Affinity.BalancerTests;

/// <summary>The share of new visitors that starts on the second version, from nobody to everybody, as the balancers themselves take it.</summary>
public sealed partial class ShareTests
{
    /// <summary>nginx refuses <c>0%</c> ("invalid percent value"): a canary that was taken back to nobody was a configuration that did not load.</summary>
    [ServerTheory(Needs.Nginx)]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(100)]
    public Task Nginx_takes_every_share(int percent) => CheckAsync("nginx-tracks", Needs.Nginx, "-t", percent);

    [ServerTheory(Needs.Haproxy)]
    [InlineData(0)]
    [InlineData(100)]
    public Task Haproxy_takes_every_share(int percent) => CheckAsync("haproxy-tracks", Needs.Haproxy, "-c", percent);

    /// <summary>The block in docs/balancers.md by which the share is read from a map, between two backends that say who they are.</summary>
    [ServerFact(Needs.Haproxy)]
    public async Task Haproxy_reads_the_share_from_a_map_that_is_changed_while_it_runs()
    {
        using var folder = new TempDirectory();
        var (map, socket, port) = (Path.Combine(folder.Path, "share.map"), Path.Combine(folder.Path, "admin.sock"), LoopbackPort.Next());
        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root!, "docs", "balancers.md"));
        var lines = Block().Match(document).Groups["text"].Value;
        Assert.Contains("/etc/haproxy/share.map", lines, StringComparison.Ordinal);
        await File.WriteAllTextAsync(map, "green 0\n");
        var file = Path.Combine(folder.Path, "haproxy.cfg");
        await File.WriteAllTextAsync(file, $"""
            global
                stats socket {socket} mode 600 level admin
            defaults
                mode http
                timeout connect 1s
                timeout client 30s
                timeout server 30s
            frontend door
                bind 127.0.0.1:{port}
                acl bound req.cook(AFF) -m found
            {lines.Replace("/etc/haproxy/share.map", map, StringComparison.Ordinal)}
                use_backend green if !bound chosen_green
                default_backend blue
            backend green
                http-request return status 200 content-type text/plain string green
            backend blue
                http-request return status 200 content-type text/plain string blue

            """);
        await using var haproxy = await ServerProcess.StartAsync(new ServerStart
        {
            FileName = Requirements.PathOf(Needs.Haproxy), Arguments = ["-db", "-f", file], WorkingDirectory = folder.Path, Ready = Readiness.Tcp(port),
        });

        Assert.Equal(0, await GreenOf100Async(port));
        await TellAsync(socket, $"set map {map} green 30\n");

        // Of 100 with 30 %, five standard deviations.
        Assert.InRange(await GreenOf100Async(port), 7, 53);
        await TellAsync(socket, $"set map {map} green 100\n");
        Assert.Equal(100, await GreenOf100Async(port));
    }

    private static async Task CheckAsync(string name, Needs program, string check, int percent)
    {
        using var folder = new TempDirectory();
        BalancedNode[] nodes = [new("n1", "127.0.0.1", 8081, "blue"), new("n2", "127.0.0.1", 8082, "green")];
        var plan = new BalancerPlan("127.0.0.1", LoopbackPort.Next(), nodes) { SecondTrackPercent = percent };
        await using var process = await ServerProcess.StartAsync(new ServerStart
        {
            FileName = Requirements.PathOf(program), Arguments = [check, .. BalancerTemplate.Of(name).Prepare(plan, folder.Path)], WorkingDirectory = folder.Path,
        });

        var code = await process.WaitForExitAsync();

        Assert.True(code == 0, $"{name} with {percent} %:\n{process.Output}");
    }

    private static async Task<int> GreenOf100Async(int port)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        var green = 0;
        for (var i = 0; i < 100; i++)
        {
            green += await client.GetStringAsync(new Uri("/", UriKind.Relative)) == "green" ? 1 : 0;
        }

        return green;
    }

    private static async Task TellAsync(string path, string command)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await socket.SendAsync(Encoding.ASCII.GetBytes(command));
        var answer = new byte[1024];
        Assert.Equal("\n", Encoding.ASCII.GetString(answer, 0, await socket.ReceiveAsync(answer)));
    }

    [GeneratedRegex(@"^```haproxy\n(?<text>[^`]*share\.map[^`]*)^```$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();
}
