using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class TicketReaderTests
{
    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly string _one = Sample.Codec().Encode(Sample.Ticket(), Sample.Key());
    private readonly string _other = Sample.Codec().Encode(Sample.Ticket(counter: 8), Sample.Key());
    private readonly string _unknownKey = Sample.Codec().Encode(Sample.Ticket(session: 40), Sample.Key(id: 9));

    [Fact]
    public async Task No_cookie_costs_nothing() =>
        Assert.Same(TicketReading.None, await new TicketReader(Sample.Codec(), _keys, new VerifiedTickets(_keys, TimeProvider.System)).ReadAsync(default, CancellationToken.None));

    [Fact]
    public async Task One_genuine_ticket_is_valid()
    {
        var reading = await ReadAsync(_one);
        Assert.Equal((TicketVerdict.Valid, TicketReasons.Valid, Sample.Ticket()), (reading.Verdict, reading.Reason, reading.Ticket));
    }

    [Fact]
    public async Task The_same_ticket_twice_is_one() => await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, _one, _one);

    [Fact]
    public async Task Garbage_beside_a_genuine_ticket_does_not_hurt_it()
    {
        await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, "garbage", _one);
        await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, _one, "garbage", "");
    }

    [Fact]
    public async Task Two_different_genuine_tickets_are_refused() =>
        await AssertAsync(TicketVerdict.Refused, TicketReasons.Ambiguous, _one, "garbage", _other);

    [Fact]
    public async Task Only_three_values_are_looked_at()
    {
        await AssertAsync(TicketVerdict.Refused, TicketReasons.TooMany, "a", "b", "c", _one);
        await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, "a", "b", _one, "c");
    }

    [Fact]
    public async Task Garbage_is_refused_for_its_first_fault() =>
        await AssertAsync(TicketVerdict.Refused, TicketReasons.BadLength, "a", _one[..^1]);

    [Fact]
    public async Task A_key_that_does_not_exist_is_refused() =>
        await AssertAsync(TicketVerdict.Refused, TicketReasons.UnknownKey, _unknownKey);

    [Fact]
    public async Task A_key_that_another_node_has_just_made_is_fetched()
    {
        _keys.LookUp = KeyLookup.Found(Sample.Key(id: 9));
        await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, _unknownKey);
        await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, _unknownKey);
        Assert.Equal(1, _keys.LookUps);
    }

    [Fact]
    public async Task A_key_that_was_fetched_and_did_not_sign_this_is_refused()
    {
        _keys.LookUp = KeyLookup.Found(Sample.Key(id: 9, seed: 99));
        await AssertAsync(TicketVerdict.Refused, TicketReasons.BadMac, _unknownKey);
    }

    /// <summary>They were asked one after another, so a request with three invented ids was held for three turns at the vault.</summary>
    [Fact]
    public async Task Unknown_keys_of_one_request_share_one_wait()
    {
        var turn = new TaskCompletionSource();
        _keys.Turn = turn.Task;
        var reading = ReadAsync(_unknownKey, Sample.Codec().Encode(Sample.Ticket(), Sample.Key(id: 10)), Sample.Codec().Encode(Sample.Ticket(), Sample.Key(id: 11)));

        Assert.Equal(3, _keys.LookUps);
        turn.SetResult();
        Assert.Equal(TicketReasons.UnknownKey, (await reading).Reason);
    }

    [Fact]
    public async Task A_ticket_is_not_judged_while_the_keys_cannot_be_read()
    {
        _keys.LookUp = KeyLookup.Unreachable;
        await AssertAsync(TicketVerdict.Unverifiable, TicketReasons.KeysUnreachable, _unknownKey);
        await AssertAsync(TicketVerdict.Unverifiable, TicketReasons.KeysUnreachable, "garbage", _unknownKey, "more", "and more");
    }

    [Fact]
    public async Task A_known_genuine_ticket_counts_while_another_cannot_be_judged()
    {
        _keys.LookUp = KeyLookup.Unreachable;
        await AssertAsync(TicketVerdict.Valid, TicketReasons.Valid, _unknownKey, _one);
    }

    private async Task<TicketReading> ReadAsync(params string[] values)
    {
        var header = string.Join("; ", values.Select(value => $"{Sample.CookieName}={value}"));
        return await new TicketReader(Sample.Codec(), _keys, new VerifiedTickets(_keys, TimeProvider.System)).ReadAsync(TicketTexts.Read(header, Sample.CookieName), CancellationToken.None);
    }

    private async Task AssertAsync(TicketVerdict verdict, string reason, params string[] values)
    {
        var reading = await ReadAsync(values);
        Assert.Equal((verdict, reason), (reading.Verdict, reading.Reason));
        Assert.Equal(verdict == TicketVerdict.Valid, reading.Ticket is not null);
    }
}
