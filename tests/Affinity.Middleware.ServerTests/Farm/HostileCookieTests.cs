using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>What clients can send by the thousand must cost the store nothing, or at most a constant rate, and change nobody's cookies.</summary>
public sealed class HostileCookieTests(ITestOutputHelper output)
{
    private const string Name = "__Host-affinity=";

    // So rarely that no beat falls into a measurement.
    private static readonly (string Key, string Value)[] Quiet = [("Affinity:Node:HeartbeatInterval", "00:01:00"), ("Affinity:Node:DeadAfter", "00:10:00")];

    [ServerFact(Needs.Redis)]
    public async Task Forged_tickets_cost_the_store_no_command_and_change_no_cookie()
    {
        await using var farm = await ProbeFarm.StartAsync(1, settings: Quiet);
        var good = await TicketAsync(farm[0]);
        var bytes = Base64Url.DecodeFromChars(good);
        string[] hostile =
        [
            .. Enumerable.Range(0, bytes.Length).Select(i => Name + Flipped(bytes, i)),
            Name + good[..^1],
            Name + good + good,
            Name + '"' + good + '"',
            Name + "%" + good,
            "Affinity-Insecure=" + good,
            Name.ToUpperInvariant() + good,
            string.Join("; ", Enumerable.Range(0, 1000).Select(i => $"{Name}{i}")),
            Name + new string('A', 20_000),
        ];
        await farm.Redis.ResetCommandCallsAsync();

        foreach (var cookie in hostile)
        {
            using var response = await GetAsync(farm[0], cookie);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.False(response.Headers.Contains("Set-Cookie"), cookie);
        }

        var calls = await farm.Redis.CommandCallsAsync();
        Assert.DoesNotContain(calls.Keys, command => command is "eval" or "evalsha" or "hmget" or "get" or "rpush");

        using var honest = await GetAsync(farm[0], string.Join("; ", Enumerable.Range(0, 1000).Select(i => $"c{i}={i}")) + "; " + Name + good);
        Assert.Equal("1", await honest.Content.ReadAsStringAsync());
        using var oversized = await GetAsync(farm[0], Name + new string('A', 100_000));
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, oversized.StatusCode);
    }

    [ServerFact(Needs.Redis)]
    public async Task Invented_key_ids_make_a_node_read_the_vault_once_a_second_however_many_come()
    {
        await using var farm = await ProbeFarm.StartAsync(0);
        var start = farm.Describe("vault", Quiet);
        await using var node = await AppProcess.StartAsync(start with
        {
            Configuration = start.Configuration.Where(setting => !setting.Key.StartsWith("Affinity:Secrets", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal),
        });
        var bytes = Base64Url.DecodeFromChars(await TicketAsync(node.BaseAddress));
        await farm.Redis.ResetCommandCallsAsync();
        var watch = Stopwatch.StartNew();

        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (i, _) =>
        {
            var ticket = bytes.ToArray();
            RandomNumberGenerator.Fill(ticket.AsSpan(2, 8));
            var protectedText = Base64Url.EncodeToString([0x09, 0xF0, 0xC9, 0xF0, .. RandomNumberGenerator.GetBytes(60)]);
            using var response = await GetAsync(node.BaseAddress, i % 2 == 0 ? Name + Base64Url.EncodeToString(ticket) : "signin=" + protectedText);
            Assert.False(response.Headers.Contains("Set-Cookie"));
        });

        var seconds = watch.Elapsed.TotalSeconds;
        var reads = (await farm.Redis.CommandCallsAsync()).GetValueOrDefault("lrange");
        output.WriteLine($"300 requests with invented key ids in {seconds:N1} s: {reads} reads of two rings");

        // Two rings, once a second each, and their refresh every five seconds.
        Assert.InRange(reads, 1, (2 * 1.2 * (seconds + 1)) + 2);
    }

    private static async Task<string> TicketAsync(Uri node)
    {
        var visitor = new Visitor();
        (await visitor.PostAsync(node, "set/x/1")).EnsureSuccessStatusCode().Dispose();
        return visitor.Cookies[Name.TrimEnd('=')]!;
    }

    private static async Task<HttpResponseMessage> GetAsync(Uri node, string cookie)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, "get/x"));
        request.Headers.TryAddWithoutValidation("Cookie", cookie);
        return await client.SendAsync(request);
    }

    private static string Flipped(byte[] ticket, int at)
    {
        var forged = ticket.ToArray();
        forged[at] ^= 1;
        return Base64Url.EncodeToString(forged);
    }
}
