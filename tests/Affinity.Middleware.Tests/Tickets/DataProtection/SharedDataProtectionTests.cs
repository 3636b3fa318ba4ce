using System.Security.Cryptography;
using System.Xml.Linq;
using Affinity.Nodes;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class SharedDataProtectionTests : IDisposable
{
    private const string RingName = KeyRefreshService.DataProtectionRing;

    private readonly FakeKeyVault _vault = new();

    // The framework reads the system's clock for its keys.
    private readonly ManualTime _time = new(TimeProvider.System.GetUtcNow());
    private readonly List<ProtectionNode> _nodes = [];

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    [Fact]
    public async Task Six_nodes_that_start_at_once_on_an_empty_vault_use_one_key()
    {
        var nodes = Nodes(6);
        HoldAppendsUntil(6);

        await Task.WhenAll(nodes.Select(Warm));

        Assert.Single(_vault.Held(RingName));
        Assert.Equal(36, Accepted(nodes));
    }

    [Fact]
    public async Task A_seventh_node_after_the_vault_lost_its_ring_shares_the_old_key()
    {
        var nodes = Nodes(6);
        await Task.WhenAll(nodes.Select(Warm));
        var before = _vault.Held(RingName);
        _vault.Lose(RingName);
        await Task.WhenAll(nodes.Select(node => node.Ring.RefreshAsync(default).AsTask()));
        var all = nodes.Append(Node()).ToArray();

        Assert.Equal(49, Accepted(all));
        Assert.Equal(before, _vault.Held(RingName), StringComparer.Ordinal);
    }

    [Fact]
    public void A_key_of_another_node_heals_in_the_call_that_meets_it()
    {
        var (node, foreign) = NodeThatLacksAKey();
        _time.Advance(UnknownKeys.Gap);

        Assert.Equal("hello", node.Unprotect(foreign));
    }

    [Fact]
    public async Task Fifty_parallel_calls_that_meet_a_key_of_another_node_are_all_answered()
    {
        var (node, foreign) = NodeThatLacksAKey();
        _time.Advance(UnknownKeys.Gap);
        var reads = _vault.Reads;
        using var start = new Barrier(50);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                return node.Unprotect(foreign);
            },
            default,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.All(answers, answer => Assert.Equal("hello", answer));
        Assert.InRange(_vault.Reads - reads, 1, 2);
    }

    [Fact]
    public async Task Fifty_requests_that_meet_a_key_of_another_node_wait_for_their_turn_and_are_all_answered()
    {
        var (node, foreign) = NodeThatLacksAKey();
        var reads = _vault.Reads;

        var answers = Enumerable.Range(0, 50).Select(_ => node.UnprotectInRequestAsync(foreign)).ToArray();
        await _time.WaitForArmedTimersAsync(50);
        Assert.Equal(reads, _vault.Reads);
        _time.Advance(UnknownKeys.Gap);

        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal("hello", answer));
        Assert.Equal(reads + 1, _vault.Reads);
    }

    [Fact]
    public async Task An_old_cookie_slows_only_its_first_request_down()
    {
        var node = Node();
        node.Protect("warm");
        var stale = StalePayload();
        _time.Advance(UnknownKeys.Gap);
        await Assert.ThrowsAsync<CryptographicException>(() => node.UnprotectInRequestAsync(stale));
        var reads = _vault.Reads;
        _time.Advance(TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<CryptographicException>(() => node.UnprotectInRequestAsync(stale));

        Assert.Equal(reads, _vault.Reads);
    }

    [Fact]
    public void Whatever_clients_send_the_vault_is_read_once_a_second()
    {
        var node = Node();
        node.Protect("warm");
        _time.Advance(UnknownKeys.Gap);
        var reads = _vault.Reads;
        for (var i = 0; i < 20; i++)
        {
            Assert.Throws<CryptographicException>(() => node.Unprotect(StalePayload()));
        }

        Assert.Equal(reads + 1, _vault.Reads);
    }

    [Fact]
    public async Task An_unknown_key_does_not_hold_up_requests_while_the_vault_is_away()
    {
        var node = Node();
        node.Protect("warm");
        _vault.Away = true;
        await node.Ring.RefreshAsync(default);
        var reads = _vault.Reads;

        await Assert.ThrowsAsync<CryptographicException>(() => node.UnprotectInRequestAsync(StalePayload()));
        Assert.Equal(reads, _vault.Reads);
        Assert.Equal("still here", node.Unprotect(node.Protect("still here")));
    }

    [Fact]
    public async Task A_vault_that_was_never_read_means_no_key_and_not_ready_instead_of_a_key_that_nobody_else_has()
    {
        var node = Node();
        var readiness = Assert.Single(node.Services.GetServices<IReadinessCheck>());
        _vault.Away = true;

        var fault = Assert.ThrowsAny<Exception>(() => node.Protect("x"));
        Assert.Contains("ConnectionStrings:redis", fault.ToString(), StringComparison.Ordinal);
        Assert.NotNull(readiness.NotReadyBecause());
        Assert.Empty(_vault.Held(RingName));

        _vault.Away = false;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await node.Ring.RefreshAsync(default));
        Assert.NotNull(readiness.NotReadyBecause());
        node.Protect("x");
        Assert.Null(readiness.NotReadyBecause());
        Assert.Single(_vault.Held(RingName));
    }

    [Fact]
    public void Callers_do_not_queue_up_for_a_vault_that_is_away()
    {
        var node = Node();
        _vault.Away = true;
        for (var i = 0; i < 20; i++)
        {
            Assert.ThrowsAny<Exception>(() => node.Protect("x"));
        }

        Assert.Equal(1, _vault.Reads);
    }

    [Fact]
    public void Elements_that_nobody_can_read_harm_nothing_and_stay()
    {
        Node().Protect("make a key");
        var key = Assert.Single(_vault.Held(RingName));
        _vault.Lose(RingName);
        string[] odd = ["not xml", "<other/>", "<key id=\"no-guid\"/>", $"<key id=\"{Guid.NewGuid()}\" version=\"7\"/>", key, key + " "];
        _vault.Put(RingName, odd);
        var node = Node();

        Assert.Equal("hello", node.Unprotect(node.Protect("hello")));
        node.Keys.GetAllKeys();
        Assert.Equal(odd, _vault.Held(RingName), StringComparer.Ordinal);
        Assert.Equal(2, node.Log.Count("DataProtectionElementSkipped"));
        Assert.DoesNotContain(node.Log.Texts, text => text.Contains("<value>", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_the_successors_that_several_nodes_make_one_goes_in()
    {
        var first = Node();
        first.Keys.CreateNewKey(TimeProvider.System.GetUtcNow().AddDays(-80), TimeProvider.System.GetUtcNow().AddDays(1));
        var nodes = Nodes(4);
        HoldAppendsUntil(4);

        await Task.WhenAll(nodes.Select(Warm));

        Assert.Equal(2, _vault.Held(RingName).Count);
        Assert.Equal(16, Accepted(nodes));
    }

    [Fact]
    public void What_the_app_asks_for_itself_always_goes_in()
    {
        var node = Node();
        node.Protect("warm");
        var now = TimeProvider.System.GetUtcNow();
        node.Keys.CreateNewKey(now, now.AddDays(90));
        node.Keys.RevokeAllKeys(now.AddDays(-1), "test");
        node.Keys.RevokeKey(Guid.NewGuid());

        Assert.Equal(4, _vault.Held(RingName).Count);
    }

    [Fact]
    public async Task A_revoked_key_is_replaced_once_by_all_nodes_together()
    {
        // The framework asks for a new key at every load while the revoked one is its preferred one, for two days: reloads must not breed keys.
        var nodes = Nodes(3);
        await Task.WhenAll(nodes.Select(Warm));
        nodes[0].Keys.RevokeKey(nodes[0].Keys.GetAllKeys().Single().KeyId);
        for (var i = 0; i < 5; i++)
        {
            await Task.WhenAll(nodes.Select(node => node.Ring.RefreshAsync(default).AsTask()));
            Assert.Equal(9, Accepted(nodes));
        }

        Assert.Equal(3, _vault.Held(RingName).Count);
    }

    [Fact]
    public void The_layout_is_that_of_the_frameworks_package()
    {
        Node().Protect("make a key");

        var text = Assert.Single(_vault.Held(RingName));
        Assert.StartsWith("<key id=\"", text, StringComparison.Ordinal);
        Assert.Equal(text, XElement.Parse(text).ToString(SaveOptions.DisableFormatting));
    }

    [Fact]
    public void A_storage_and_a_name_of_the_apps_own_stay()
    {
        var own = new OwnRepository();
        var node = Node(services => services.AddDataProtection().SetApplicationName("mine").Services.Configure<KeyManagementOptions>(options => options.XmlRepository = own));

        Assert.Equal("hello", node.Unprotect(node.Protect("hello")));
        Assert.NotEmpty(own.Elements);
        Assert.Empty(_vault.Held(RingName));
        Assert.Equal("mine", node.Services.GetRequiredService<IOptions<DataProtectionOptions>>().Value.ApplicationDiscriminator);
        Assert.Null(Assert.Single(node.Services.GetServices<IReadinessCheck>()).NotReadyBecause());
        Assert.Equal(1, node.Log.Count("DataProtectionStorageOfTheApp"));
    }

    private ProtectionNode Node(Action<IServiceCollection>? app = null)
    {
        var node = new ProtectionNode(_vault, _time, app);
        _nodes.Add(node);
        return node;
    }

    private ProtectionNode[] Nodes(int count) => [.. Enumerable.Range(0, count).Select(_ => Node())];

    /// <summary>Everybody has read the vault before the first append takes place.</summary>
    private void HoldAppendsUntil(int count)
    {
        var waiting = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _vault.BeforeAppend = _ =>
        {
            if (Interlocked.Increment(ref waiting) == count)
            {
                all.SetResult();
            }

            return all.Task;
        };
    }

    /// <summary>A node that works with its own key while another key, and a payload under it, have just come into the vault.</summary>
    private (ProtectionNode Node, string Payload) NodeThatLacksAKey()
    {
        var elsewhere = new FakeKeyVault();
        using var other = new ProtectionNode(elsewhere, _time);
        var payload = other.Protect("hello");
        var node = Node();
        node.Protect("warm");
        _vault.Put(RingName, [.. elsewhere.Held(RingName)]);
        return (node, payload);
    }

    private string StalePayload()
    {
        using var gone = new ProtectionNode(new FakeKeyVault(), _time);
        return gone.Protect("from a lost key");
    }

    private static int Accepted(ProtectionNode[] nodes) =>
        nodes.Sum(from => nodes.Count(to => string.Equals(to.Unprotect(from.Protect("hello")), "hello", StringComparison.Ordinal)));

    private sealed class OwnRepository : IXmlRepository
    {
        public List<XElement> Elements { get; } = [];

        public IReadOnlyCollection<XElement> GetAllElements() => Elements;

        public void StoreElement(XElement element, string friendlyName) => Elements.Add(element);
    }

    /// <summary>On a thread of its own: in a process of its own a node's first use blocks one thread, and six of them must not take the pool from their answers.</summary>
    private static Task Warm(ProtectionNode node) =>
        Task.Factory.StartNew(() => node.Protect("warm"), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
