using Affinity.Nodes;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class VaultSigningKeysTests
{
    private readonly ScriptedVault _vault = new();
    private readonly ManualTime _time = new(Sample.Now);

    [Fact]
    public async Task Six_nodes_that_start_together_agree_on_one_key()
    {
        for (var round = 0; round < 50; round++)
        {
            _vault.Lose();
            var nodes = Enumerable.Range(0, 6).Select(_ => Node()).ToArray();
            await Task.WhenAll(nodes.Select(node => Task.Run(() => node.MaintainAsync(CancellationToken.None))));
            Assert.Single(_vault.Elements);
            Assert.Single(nodes.Select(node => node.Current!.Id).Distinct());
        }
    }

    [Fact]
    public async Task A_new_key_verifies_everywhere_for_an_hour_before_it_signs_anywhere()
    {
        var nodes = await StartAsync(3);
        var first = nodes[0].Current!.Id;
        _time.Advance(TimeSpan.FromDays(30));
        await Task.WhenAll(nodes.Select(node => Task.Run(() => node.MaintainAsync(CancellationToken.None))));
        Assert.Equal(2, _vault.Elements.Count);
        Assert.All(nodes, node => Assert.Equal(first, node.Current!.Id));

        _time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        Assert.All(nodes, node => Assert.Equal(first, node.Current!.Id));
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = Assert.Single(nodes.Select(node => node.Current!.Id).Distinct());
        Assert.NotEqual(first, second);
        Assert.All(nodes, node => Assert.True(node.TryFind(first, out _)));
    }

    [Fact]
    public async Task Over_a_year_keys_rotate_and_tickets_of_90_days_always_verify()
    {
        var nodes = await StartAsync(2);
        var signed = new Queue<SigningKeyId>();
        for (var day = 0; day < 365; day++)
        {
            signed.Enqueue(nodes[day % 2].Current!.Id);
            if (signed.Count > 90)
            {
                signed.Dequeue();
            }

            _time.Advance(TimeSpan.FromDays(1));
            foreach (var node in nodes)
            {
                await node.MaintainAsync(CancellationToken.None);
                Assert.All(signed, id => Assert.True(node.TryFind(id, out _)));
            }
        }

        Assert.Equal(13, _vault.Elements.Count);
        Assert.True(RingKey.TryParse(_vault.Elements[0], out var oldest));
        Assert.False(nodes[0].TryFind(oldest.Key.Id, out _));
    }

    [Fact]
    public async Task A_key_too_old_is_refused_without_asking_the_vault()
    {
        _vault.Put(RingKey.Create(Sample.Now.AddDays(-200), Sample.Now.AddDays(-200)).ToElement());
        _vault.Put(RingKey.Create(Sample.Now.AddDays(-100), Sample.Now.AddDays(-100)).ToElement());
        var node = (await StartAsync(1))[0];
        Assert.True(RingKey.TryParse(_vault.Elements[0], out var old));
        _vault.IsAway = true;
        Assert.Equal(KeyLookup.Unknown, await node.LookUpAsync(old.Key.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_lost_ring_is_put_back_and_nobody_is_refused()
    {
        var nodes = await StartAsync(2);
        var key = nodes[0].Current!.Id;
        _time.Advance(TimeSpan.FromDays(1));
        _vault.Lose();

        // A node that starts now begins a ring of its own, but does not judge by it yet.
        var late = (await StartAsync(1))[0];
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(KeyLookup.Unreachable, await late.LookUpAsync(key, CancellationToken.None));

        await nodes[1].MaintainAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(KeyLookupKind.Found, (await late.LookUpAsync(key, CancellationToken.None)).Kind);
        await nodes[0].MaintainAsync(CancellationToken.None);
        Assert.Equal(2, _vault.Elements.Count);
        Assert.Single(nodes.Append(late).Select(node => node.Current!.Id).Distinct());
    }

    [Fact]
    public async Task Two_rings_that_began_apart_become_one()
    {
        var one = (await StartAsync(1))[0];
        _vault.Lose();
        var other = (await StartAsync(1))[0];
        Assert.NotEqual(one.Current!.Id, other.Current!.Id);
        await one.MaintainAsync(CancellationToken.None);
        await other.MaintainAsync(CancellationToken.None);
        Assert.Equal(one.Current!.Id, other.Current!.Id);
        Assert.Equal(2, _vault.Elements.Count);
    }

    [Fact]
    public async Task Elements_of_a_later_release_stay_and_are_ignored()
    {
        _vault.Put("2.of.a.later.release");
        var node = (await StartAsync(1))[0];
        Assert.NotNull(node.Current);
        Assert.Equal(2, _vault.Elements.Count);
        _vault.Lose();
        await node.MaintainAsync(CancellationToken.None);
        Assert.Equal("2.of.a.later.release", _vault.Elements[0]);
    }

    [Fact]
    public async Task A_vault_that_was_never_reached_gives_no_key_and_no_judgement()
    {
        _vault.IsAway = true;
        var node = (await StartAsync(1))[0];
        Assert.Null(node.Current);
        Assert.NotNull(((IReadinessCheck)new SigningKeysReadiness(node)).NotReadyBecause());
        Assert.Equal(KeyLookup.Unreachable, await node.LookUpAsync(new SigningKeyId(1), CancellationToken.None));

        _vault.IsAway = false;
        _time.Advance(TimeSpan.FromSeconds(1));
        await node.MaintainAsync(CancellationToken.None);
        Assert.NotNull(node.Current);
        Assert.Null(new SigningKeysReadiness(node).NotReadyBecause());
    }

    [Fact]
    public async Task Known_keys_stay_in_use_while_the_vault_is_away()
    {
        var node = (await StartAsync(1))[0];
        var key = node.Current!.Id;
        _vault.IsAway = true;
        _time.Advance(TimeSpan.FromDays(31));
        await node.MaintainAsync(CancellationToken.None);
        Assert.Equal(key, node.Current!.Id);
        Assert.True(node.TryFind(key, out _));
        Assert.Equal(KeyLookup.Unreachable, await node.LookUpAsync(new SigningKeyId(1), CancellationToken.None));
    }

    [Fact]
    public async Task Many_invented_ids_cost_the_vault_one_read()
    {
        var node = (await StartAsync(1))[0];
        _time.Advance(SigningRing.SettlesIn);
        var before = _vault.Reads;
        var lookups = Enumerable.Range(0, 200).Select(i => node.LookUpAsync(new SigningKeyId((ulong)i), CancellationToken.None).AsTask()).ToArray();
        var all = Task.WhenAll(lookups);
        while (!all.IsCompleted)
        {
            // Those that came while the first read was under way wait for their turn, a second later.
            _time.Advance(VaultSigningKeys.LookUpGap);
            await Task.Yield();
        }

        Assert.All(await all, lookup => Assert.Equal(KeyLookup.Unknown, lookup));
        Assert.InRange(_vault.Reads - before, 1, 2);
    }

    /// <summary>Every request with a ticket from before a lost ring waited up to a second for its turn at the vault, pictures included.</summary>
    [Fact]
    public async Task An_old_ticket_waits_for_the_vault_once_and_not_with_every_request()
    {
        var node = (await StartAsync(1))[0];
        _time.Advance(SigningRing.SettlesIn);
        Assert.Equal(KeyLookup.Unknown, await node.LookUpAsync(new SigningKeyId(1), CancellationToken.None));
        var reads = _vault.Reads;

        var again = node.LookUpAsync(new SigningKeyId(1), CancellationToken.None);

        Assert.True(again.IsCompletedSuccessfully);
        Assert.Equal((KeyLookup.Unknown, reads), (await again, _vault.Reads));
    }

    [Fact]
    public async Task A_key_that_was_missing_is_found_once_the_vault_has_it()
    {
        var node = (await StartAsync(1))[0];
        _time.Advance(SigningRing.SettlesIn);
        var late = RingKey.Create(Sample.Now, Sample.Now);
        Assert.Equal(KeyLookup.Unknown, await node.LookUpAsync(late.Key.Id, CancellationToken.None));

        _vault.Put(late.ToElement());
        await node.MaintainAsync(CancellationToken.None);

        Assert.Equal(KeyLookupKind.Found, (await node.LookUpAsync(late.Key.Id, CancellationToken.None)).Kind);
    }

    [Fact]
    public async Task A_caller_that_goes_away_ends_its_wait_alone()
    {
        var node = (await StartAsync(1))[0];
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await node.LookUpAsync(new SigningKeyId(1), gone.Token));
        _time.Advance(SigningRing.SettlesIn);
        Assert.Equal(KeyLookup.Unknown, await node.LookUpAsync(new SigningKeyId(1), CancellationToken.None));
    }

    private VaultSigningKeys Node() =>
        new(new VaultRing(_vault, VaultSigningKeys.RingName, _time, NullLogger.Instance), _time, NullLogger.Instance);

    private async Task<VaultSigningKeys[]> StartAsync(int count)
    {
        var nodes = Enumerable.Range(0, count).Select(_ => Node()).ToArray();
        foreach (var node in nodes)
        {
            await node.MaintainAsync(CancellationToken.None);
        }

        return nodes;
    }
}
