using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Affinity.Backends.Redis;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>
/// The client of Redis tells answers apart by their order alone. Where that order is broken (a proxy, a client with a bug), one visitor was shown the session of another, with 200 and without a line in the log.
/// </summary>
public sealed class MixedUpRepliesTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task A_read_that_gets_the_answer_to_another_one_is_a_fault_and_never_another_session()
    {
        await using var server = await RedisServer.StartAsync();
        using var relay = new SwappingRelay(server.Port);
        await using var backend = new BackendHarness(relay.ConnectionString);
        var (one, two) = await CreateTwoAsync(backend);
        relay.SwapNext("found");

        var (first, second) = (TryReadAsync(backend, one), TryReadAsync(backend, two));

        Assert.Equal("Ambiguous Ambiguous", $"{await first} {await second}");
        Assert.Equal(1, relay.Swaps);
        Assert.Single(backend.Logged, line => line.StartsWith("RedisRepliesMixedUp:", StringComparison.Ordinal));
        Assert.Equal("1 2", $"{await TryReadAsync(backend, one)} {await TryReadAsync(backend, two)}");
    }

    [ServerFact(Needs.Redis)]
    public async Task A_write_that_gets_the_answer_to_another_one_is_not_taken_for_saved()
    {
        await using var server = await RedisServer.StartAsync();
        using var relay = new SwappingRelay(server.Port);
        await using var backend = new BackendHarness(relay.ConnectionString);
        var (one, two) = await CreateTwoAsync(backend);
        var saved = (await backend.ReadAsync(key: one)).Session!.Version;
        var (good, late) = (BackendHarness.After(saved, 3), BackendHarness.After(new SessionVersion(7, 7), 4));
        relay.SwapNext("written", "conflict");

        var (first, second) = (TryWriteAsync(backend, good, one), TryWriteAsync(backend, late, two));

        Assert.Equal("Ambiguous Ambiguous", $"{await first} {await second}");
        Assert.Equal("Written Conflict", $"{await TryWriteAsync(backend, good, one)} {await TryWriteAsync(backend, late, two)}");
        Assert.Equal("3 2", $"{await TryReadAsync(backend, one)} {await TryReadAsync(backend, two)}");
    }

    [ServerFact(Needs.Redis)]
    public async Task What_was_under_way_on_the_same_connection_fails_at_once_and_a_new_one_is_made()
    {
        await using var server = await RedisServer.StartAsync();
        using var relay = new SwappingRelay(server.Port);
        await using var backend = new BackendHarness(relay.ConnectionString);
        var (one, two) = await CreateTwoAsync(backend);
        var before = relay.Connections;
        relay.SwapNext("found");

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => TryReadAsync(backend, i % 2 == 0 ? one : two)));

        // Whoever is asked again, is asked over another connection.
        Assert.DoesNotContain(outcomes.Where((_, i) => i % 2 == 0), outcome => outcome == "2");
        Assert.DoesNotContain(outcomes.Where((_, i) => i % 2 == 1), outcome => outcome == "1");
        Assert.All(outcomes, outcome => Assert.True(outcome is "1" or "2" or nameof(SessionStoreFault.Ambiguous) or nameof(SessionStoreFault.NotApplied), outcome));
        Assert.Equal("1", await TryReadAsync(backend, one));
        Assert.InRange(relay.Connections, before + 1, before + 4);
    }

    /// <summary>Their subscription went with the connection. Without a new one at once, the end of a session elsewhere would be unknown for seven seconds, longer than the near cache remembers.</summary>
    [ServerFact(Needs.Redis)]
    public async Task Announcements_are_heard_again_within_seconds_of_a_connection_that_was_given_up()
    {
        await using var server = await RedisServer.StartAsync();
        using var relay = new SwappingRelay(server.Port);
        await using var backend = new BackendHarness(relay.ConnectionString);
        await using var other = new BackendHarness(server.ConnectionString);
        using var announcements = new RedisSessionAnnouncements(backend.Connection, backend.Options, TimeProvider.System, NullLogger<RedisSessionAnnouncements>.Instance);
        var heard = new ConcurrentQueue<SessionKey>();
        announcements.Listen((key, _) => heard.Enqueue(key));
        var (one, two) = await CreateTwoAsync(backend);
        await UntilHeardAsync();
        relay.SwapNext("found");
        await Task.WhenAll(TryReadAsync(backend, one), TryReadAsync(backend, two));
        Assert.Equal(1, relay.Swaps);
        heard.Clear();
        var started = Stopwatch.GetTimestamp();

        await TryReadAsync(backend, one);
        await UntilHeardAsync();

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(4.5));

        async Task UntilHeardAsync()
        {
            while (heard.IsEmpty)
            {
                await other.Store.DeleteAsync(SessionKey.Of(SessionId.Create()), BackendHarness.Hour, CancellationToken.None);
                await Task.Delay(20);
            }
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task No_visitor_is_shown_the_session_of_another_and_none_is_refused()
    {
        await using var server = await RedisServer.StartAsync();
        using var relay = new SwappingRelay(server.Port);
        await using var farm = await ProbeFarm.StartAsync(new FarmStart { Nodes = 1, ConnectionString = relay.ConnectionString, Settings = [("Affinity:Sessions:NearCache:Enabled", "false")] });
        var visitors = Enumerable.Range(0, 2).Select(_ => new Visitor()).ToArray();
        for (var i = 0; i < visitors.Length; i++)
        {
            (await visitors[i].PostAsync(farm[0], string.Create(CultureInfo.InvariantCulture, $"set/name/visitor{i}"))).EnsureSuccessStatusCode();
        }

        // Far ahead: of another number and history a session is taken for a newer state of one's own. Of the same number it is met by the version in the ticket.
        for (var i = 0; i < 20; i++)
        {
            (await visitors[1].PostAsync(farm[0], "add/n")).EnsureSuccessStatusCode();
        }

        var wrong = 0;
        for (var round = 0; round < 5; round++)
        {
            relay.SwapNext("found");
            var answers = await Task.WhenAll(visitors.Select(async visitor =>
            {
                using var response = await visitor.GetAsync(farm[0], "get/name");
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                return await response.Content.ReadAsStringAsync();
            }));
            wrong += answers.Where((answer, i) => answer != string.Create(CultureInfo.InvariantCulture, $"visitor{i}")).Count();
        }

        output.WriteLine($"{relay.Swaps} pairs of answers swapped: {wrong} visitors saw another one's session");
        Assert.Equal((5, 0), (relay.Swaps, wrong));
    }

    private static async Task<(SessionKey One, SessionKey Two)> CreateTwoAsync(BackendHarness backend)
    {
        var (one, two) = (SessionKey.Of(SessionId.Create()), SessionKey.Of(SessionId.Create()));
        await backend.WriteAsync(BackendHarness.Create(1), one);
        await backend.WriteAsync(BackendHarness.Create(2), two);
        await backend.ReadAsync(key: one); // the script is known from here on
        return (one, two);
    }

    private static async Task<string> TryReadAsync(BackendHarness backend, SessionKey key)
    {
        try
        {
            return string.Join(' ', (await backend.ReadAsync(key: key)).Session!.Payload.ToArray());
        }
        catch (SessionStoreException e)
        {
            return e.Fault.ToString();
        }
    }

    private static async Task<string> TryWriteAsync(BackendHarness backend, SessionWrite write, SessionKey key)
    {
        try
        {
            return (await backend.WriteAsync(write, key)).Kind.ToString();
        }
        catch (SessionStoreException e)
        {
            return e.Fault.ToString();
        }
    }
}
