using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Everything at Trace, through a life with good and bad days: no line may hold what opens a session, signs a ticket or opens the store.</summary>
public sealed partial class SecretsStaySecretTests(ITestOutputHelper output)
{
    private const string Password = "Passw0rd-of-the-store";
    private const string Application = "secretive";

    private readonly string _secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    [ServerTheory(Needs.Redis)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_line_at_Trace_holds_a_secret(bool keysFromSecrets)
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CommandAsync("CONFIG", "SET", "requirepass", Password);
        using var admin = await RespClient.ConnectAsync(redis.Port);
        await admin.CommandAsync(["AUTH", Password]);
        await using var node = await AppProcess.StartAsync(Describe($"{redis.ConnectionString},password={Password}", keysFromSecrets));
        var visitor = new Visitor();
        List<string> secrets = [Password, _secret];

        await visitor.PostAsync(node.BaseAddress, "set/x/1");
        await VisitAsync(node, visitor, secrets);
        await VisitAsync(node, visitor, secrets, forged: true);
        secrets.AddRange((await admin.CommandAsync(["LRANGE", $"affinity:{Application}:keys:Signing", "0", "-1"])).Items!.Select(element => element.Text!.Split('.')[^1]));
        secrets.AddRange((await admin.CommandAsync(["LRANGE", "DataProtection-Keys", "0", "-1"])).Items!.SelectMany(element => MasterKey().Matches(element.Text!)).Select(match => match.Value));
        redis.Freeze();
        await VisitAsync(node, visitor, secrets);
        redis.Kill();
        await VisitAsync(node, visitor, secrets);

        var lines = node.Output.Lines();
        output.WriteLine($"{lines.Count} lines, {secrets.Distinct(StringComparer.Ordinal).Count()} secrets");
        Assert.InRange(lines.Count, 100, 999);
        Assert.True(secrets.Distinct(StringComparer.Ordinal).Count() >= (keysFromSecrets ? 9 : 10));
        foreach (var secret in secrets)
        {
            Assert.All(lines, line => Assert.DoesNotContain(secret, line, StringComparison.Ordinal));
            Assert.All(lines, line => Assert.DoesNotContain(Uri.EscapeDataString(secret), line, StringComparison.Ordinal));
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task No_word_about_a_bad_configuration_holds_a_secret()
    {
        var half = _secret[..20];
        var start = Describe($"127.0.0.1:1,password={Password},pasword={Password},ssl={Password}", keysFromSecrets: true);
        var configuration = new Dictionary<string, string?>(start.Configuration, StringComparer.Ordinal) { ["Affinity:Secrets:1"] = half, ["Affinity:Secrets:2"] = half + "!", ["Affinity:Secret"] = half };

        var fault = await Assert.ThrowsAnyAsync<Exception>(() => AppProcess.StartAsync(start with { Configuration = configuration }));

        Assert.Contains("Affinity:Redis:Configuration", fault.ToString(), StringComparison.Ordinal);
        Assert.Contains("Affinity:Secrets:2 is not base64", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Password, fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(half, fault.ToString(), StringComparison.Ordinal);
    }

    private AppStart Describe(string redis, bool keysFromSecrets)
    {
        var configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ConnectionStrings:redis"] = redis,
            ["Affinity:Application"] = Application,
            ["Affinity:Node:Id"] = "watched",
            ["Logging:LogLevel:Default"] = "Trace",
            ["Logging:LogLevel:Microsoft"] = "Trace",
            ["Logging:LogLevel:Microsoft.AspNetCore"] = "Trace",
            ["Logging:Console:FormatterName"] = "simple",
            // A line per entry: only the last thousand are kept.
            ["Logging:Console:FormatterOptions:SingleLine"] = "true",
        };
        if (keysFromSecrets)
        {
            configuration["Affinity:Secrets:0"] = _secret;
        }

        return new AppStart { Dll = typeof(SessionProbe).Assembly.Location, Configuration = configuration };
    }

    private static async Task VisitAsync(AppProcess node, Visitor visitor, List<string> secrets, bool forged = false)
    {
        visitor = forged ? visitor.Clone() : visitor;
        foreach (var cookie in visitor.Cookies.All().Where(_ => forged).ToList())
        {
            visitor.Cookies.Put(cookie with { Value = cookie.Value[..^3] + "AAA" });
        }

        foreach (var path in (string[])["signin?name=ada", "whoami", "get/x", "affinity", "signin?name=bob"])
        {
            (await visitor.GetAsync(node.BaseAddress, path)).Dispose();
            Learn(visitor, secrets, forged);
        }

        foreach (var path in (string[])["set/x/2", "throw/x/3"])
        {
            (await visitor.PostAsync(node.BaseAddress, path)).Dispose();
            Learn(visitor, secrets, forged);
        }
    }

    private static void Learn(Visitor visitor, List<string> secrets, bool forged)
    {
        // The route cookie is a node's name, which is no secret.
        foreach (var cookie in visitor.Cookies.All().Where(cookie => cookie.Name is not "AFF"))
        {
            secrets.Add(cookie.Value);
            if (!forged && cookie.Name is "__Host-affinity")
            {
                // Where TicketCodec has the session's id.
                var bytes = Base64Url.DecodeFromChars(cookie.Value)[35..51];
                Assert.True(SessionId.TryRead(bytes, out var id));
                secrets.AddRange([SessionKey.Of(id).Value, Convert.ToHexStringLower(bytes), Convert.ToBase64String(bytes)[..^2], Base64Url.EncodeToString(bytes)]);
            }
        }
    }

    [GeneratedRegex("(?<=<value>)[^<]+", RegexOptions.None, 1000)]
    private static partial Regex MasterKey();
}
