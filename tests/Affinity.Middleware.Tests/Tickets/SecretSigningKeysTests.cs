using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class SecretSigningKeysTests
{
    private readonly ManualTime _time = new(Sample.Now);

    [Fact]
    public void Two_nodes_derive_the_same_key()
    {
        var (one, other) = (Keys(Sample.Secret), Keys(Sample.Secret));
        Assert.Equal(one.Current.Id, other.Current.Id);
        AssertVerifies(one, other);
    }

    [Fact]
    public void The_key_changes_at_the_turn_of_the_week_and_the_former_one_still_verifies()
    {
        var keys = Keys(Sample.Secret);
        var former = keys.Current;
        var week = TimeSpan.FromDays(7).Ticks;
        _time.Advance(TimeSpan.FromTicks(week - (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks % week - 1));
        Assert.Equal(former.Id, keys.Current.Id);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.NotEqual(former.Id, keys.Current.Id);
        Assert.True(keys.TryFind(former.Id, out _));
    }

    [Fact]
    public void A_ticket_of_90_days_verifies_until_it_expires_whenever_it_was_issued()
    {
        for (var hour = 0; hour < 7 * 24; hour++)
        {
            var (time, later) = (new ManualTime(Sample.Now.AddHours(hour)), new ManualTime(Sample.Now.AddHours(hour).AddDays(90)));
            var signer = new SecretSigningKeys([Sample.Secret], time).Current;
            Assert.True(new SecretSigningKeys([Sample.Secret], later).TryFind(signer.Id, out _));
        }
    }

    [Fact]
    public void A_week_of_signing_every_hour_for_a_year_never_fails()
    {
        var keys = Keys(Sample.Secret);
        for (var hour = 0; hour < 366 * 24; hour++)
        {
            AssertVerifies(keys, keys);
            _time.Advance(TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public void Weeks_out_of_reach_are_no_keys()
    {
        var keys = Keys(Sample.Secret);
        var id = keys.Current.Id.Value;
        bool Has(long weeks) => keys.TryFind(new SigningKeyId((id & ~0xFFFF_FFFFUL) | (uint)((long)(uint)id + weeks)), out _);
        Assert.True(Has(-13));
        Assert.False(Has(-14));
        Assert.True(Has(1));
        Assert.False(Has(2));
        Assert.False(keys.TryFind(new SigningKeyId(id | uint.MaxValue), out _));
        Assert.False(keys.TryFind(new SigningKeyId(id & ~0xFFFF_FFFFUL), out _));
    }

    [Fact]
    public void Invented_ids_cost_no_derivation()
    {
        var keys = Keys(Sample.Secret);
        _ = keys.Current;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (uint i = 0; i < 100_000; i++)
        {
            keys.TryFind(new SigningKeyId(((ulong)i << 32) | (uint)keys.Current.Id.Value), out _);
            keys.TryFind(new SigningKeyId((keys.Current.Id.Value & ~0xFFFF_FFFFUL) | i), out _);
        }

        // A few weeks out of the first 100,000 are real ones; anything else would take megabytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public async Task A_stranger_is_unknown_for_sure()
    {
        var lookup = await Keys(Sample.Secret).LookUpAsync(new SigningKeyId(1), CancellationToken.None);
        Assert.Equal(KeyLookup.Unknown, lookup);
    }

    [Fact]
    public void A_secret_is_replaced_without_refusing_anybody_on_the_way()
    {
        // Two nodes change one after the other, so at each step both lists are in use.
        string[][] steps = [[Sample.Secret], [Sample.Secret, Sample.OtherSecret], [Sample.OtherSecret, Sample.Secret]];
        for (var i = 0; i + 1 < steps.Length; i++)
        {
            AssertVerifies(Keys(steps[i]), Keys(steps[i + 1]));
            AssertVerifies(Keys(steps[i + 1]), Keys(steps[i]));
        }

        // The old secret goes when the last ticket that it signed has expired.
        AssertVerifies(Keys(steps[^1]), Keys(Sample.OtherSecret));
        AssertVerifies(Keys(Sample.OtherSecret), Keys(steps[^1]));
        Assert.False(Keys(Sample.OtherSecret).TryFind(Keys(Sample.Secret).Current.Id, out _));
    }

    private SecretSigningKeys Keys(params string[] secrets) => new(secrets, _time);

    private void AssertVerifies(SecretSigningKeys signer, SecretSigningKeys verifier)
    {
        var codec = Sample.Codec(_time);
        var ticket = Sample.Ticket() with { Issued = _time.GetUtcNow(), IdleUntil = _time.GetUtcNow(), Expires = _time.GetUtcNow().AddDays(90) };
        Assert.Equal(TicketReasons.Valid, codec.Decode(codec.Encode(ticket, signer.Current), verifier).Reason);
    }
}
