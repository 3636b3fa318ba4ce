using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class SigningRingTests
{
    private static readonly DateTimeOffset Now = Sample.Now;

    [Fact]
    public void The_golden_element_is_read_and_written_byte_for_byte()
    {
        Assert.True(RingKey.TryParse(Sample.Golden("ring-key-v1.txt"), out var key));
        Assert.Equal(Sample.Golden("ring-key-v1.txt"), key.ToElement());
        Assert.Equal((Now.ToUnixTimeSeconds(), Now.AddHours(1).ToUnixTimeSeconds()), (key.Created, key.Activates));
    }

    [Fact]
    public void A_damaged_element_is_no_key()
    {
        var golden = Sample.Golden("ring-key-v1.txt");
        for (var i = 0; i < golden.Length; i++)
        {
            Assert.False(RingKey.TryParse(golden[..i], out _));

            // The times alone are not covered by the id: they are no secret, and a wrong one only moves a rotation.
            if (i is < 14 or > 34)
            {
                Assert.False(RingKey.TryParse($"{golden[..i]}{(golden[i] == 'A' ? 'B' : 'A')}{golden[(i + 1)..]}", out _));
            }
        }

        foreach (var element in new[] { "", ".", "....", "2" + golden[1..], golden + ".x", golden + "=", golden.Replace("1893499200", "-1893499200", StringComparison.Ordinal) })
        {
            Assert.False(RingKey.TryParse(element, out _));
        }
    }

    [Fact]
    public void An_empty_ring_has_no_signer_and_needs_a_key()
    {
        var ring = SigningRing.Of(["2.something.of.tomorrow", ""]);
        Assert.True(ring.IsEmpty);
        Assert.Null(ring.Signer(Now));
        Assert.True(ring.NeedsNew(Now));
    }

    [Fact]
    public void The_latest_activated_key_signs_whatever_the_order()
    {
        var (old, current, next) = (Key(-40), Key(-10), Key(0, activatesInHours: 1));
        RingKey[] keys = [next, old, current];
        foreach (var ring in new[] { Ring(keys), Ring([.. keys.Reverse()]) })
        {
            Assert.Equal(current.Key.Id, ring.Signer(Now)!.Id);
            Assert.Equal(current.Key.Id, ring.Signer(Now.AddHours(1).AddSeconds(-1))!.Id);
            Assert.Equal(next.Key.Id, ring.Signer(Now.AddHours(1))!.Id);
        }
    }

    [Fact]
    public void Of_two_keys_with_one_activation_all_nodes_take_the_same()
    {
        var (one, other) = (Key(-1), Key(-1));
        Assert.Equal(Ring(one, other).Signer(Now)!.Id, Ring(other, one).Signer(Now)!.Id);
    }

    [Fact]
    public void A_node_whose_clock_is_behind_signs_with_the_first_key()
    {
        var first = Key(0);
        Assert.Equal(first.Key.Id, Ring(first).Signer(Now.AddMinutes(-3))!.Id);
    }

    [Fact]
    public void A_key_verifies_before_it_signs_and_for_90_days_after_its_successor_began()
    {
        var (old, next) = (Key(-100), Key(0, activatesInHours: 1));
        var ring = Ring(old, next);
        Assert.True(ring.TryFind(next.Key.Id, Now, out var verifying));
        Assert.NotNull(verifying);
        Assert.True(ring.TryFind(old.Key.Id, Now.AddHours(1).AddDays(90), out verifying));
        Assert.NotNull(verifying);
        Assert.True(ring.TryFind(old.Key.Id, Now.AddHours(1).AddDays(90).AddSeconds(1), out verifying));
        Assert.Null(verifying);
    }

    [Fact]
    public void A_new_key_is_due_after_30_days()
    {
        var ring = Ring(Key(0));
        Assert.False(ring.NeedsNew(Now.AddDays(30).AddSeconds(-1)));
        Assert.True(ring.NeedsNew(Now.AddDays(30)));
    }

    [Fact]
    public void A_ring_is_complete_once_it_is_15_seconds_old()
    {
        Assert.False(SigningRing.Of([]).IsSettled(Now));
        Assert.False(Ring(Key(0)).IsSettled(Now.AddSeconds(14)));
        Assert.True(Ring(Key(0)).IsSettled(Now.AddSeconds(15)));
        Assert.True(Ring(Key(0), Key(-1)).IsSettled(Now));
    }

    [Fact]
    public void A_key_from_a_broken_clock_does_not_hold_up_the_rotation()
    {
        var (good, broken) = (Key(-31), Key(3650));
        var ring = Ring(good, broken);
        Assert.True(ring.NeedsNew(Now));
        Assert.Equal(good.Key.Id, ring.Signer(Now)!.Id);
    }

    private static RingKey Key(int createdInDays, int activatesInHours = 0) =>
        RingKey.Create(Now.AddDays(createdInDays), Now.AddDays(createdInDays).AddHours(activatesInHours));

    private static SigningRing Ring(params RingKey[] keys) => SigningRing.Of(keys.Select(key => key.ToElement()));
}
