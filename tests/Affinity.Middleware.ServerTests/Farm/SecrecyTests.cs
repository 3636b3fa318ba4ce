using System.Buffers.Text;
using System.Security.Cryptography;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Farm;

/// <summary>What an app writes at the most talkative log level, in good times and bad, opens nothing.</summary>
public sealed class SecrecyTests
{
    private const string Cookie = "__Host-affinity";
    private const string Password = "redis-password-of-the-test";

    [ServerFact(Needs.Redis)]
    public async Task No_log_at_any_level_holds_a_ticket_a_session_id_a_store_key_a_secret_or_a_password()
    {
        await using var farm = await ProbeFarm.StartAsync(0);
        await farm.Redis.CommandAsync("CONFIG", "SET", "requirepass", Password);
        var start = farm.Describe(
            "talker",
            ("ConnectionStrings:redis", $"{farm.Network.ConnectionString},password={Password}"),
            ("Logging:LogLevel:Default", "Trace"),
            ("Logging:LogLevel:Microsoft", "Trace"));
        await using var node = await AppProcess.StartAsync(start);
        var visitor = new Visitor();
        var tickets = new List<string>();
        foreach (var path in new[] { "set/x/1", "signin?name=ann", "set/x/2", "throw/x/3", "get/x", "abandon" })
        {
            using var response = path.StartsWith("signin", StringComparison.Ordinal) || path.StartsWith("get", StringComparison.Ordinal)
                ? await visitor.GetAsync(node.BaseAddress, path)
                : await visitor.PostAsync(node.BaseAddress, path);
            tickets.Add(visitor.Cookies[Cookie] ?? "");
        }

        visitor.Cookies.Put(new VisitorCookie { Name = Cookie, Value = "forged-" + tickets[0][7..], Host = node.BaseAddress.Host, Path = "/" });
        await visitor.GetAsync(node.BaseAddress, "get/x");
        farm.Network.CutAll();
        farm.Network.Refuse = true;
        await visitor.PostAsync(node.BaseAddress, "set/x/4");

        var log = string.Join('\n', node.Output.Lines());
        Assert.Contains("dbug: Microsoft", log, StringComparison.Ordinal);
        Assert.All(Secrets(tickets, start), secret => Assert.DoesNotContain(secret, log, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Secrets(List<string> tickets, AppStart start)
    {
        yield return Password;
        yield return start.Configuration["Affinity:Secrets:0"]!;
        foreach (var ticket in tickets.Where(ticket => ticket.Length > 0).Distinct(StringComparer.Ordinal))
        {
            // The tail of it, as a log might shorten; the id stands after 2 + 8 + 1 + 24 bytes.
            yield return ticket[^20..];
            var id = Base64Url.DecodeFromChars(ticket).AsSpan(35, 16).ToArray();
            yield return Convert.ToHexStringLower(id);
            yield return Convert.ToHexString(id);
            yield return Base64Url.EncodeToString(id);
            yield return Base64Url.EncodeToString(SHA256.HashData(id));
        }
    }
}
