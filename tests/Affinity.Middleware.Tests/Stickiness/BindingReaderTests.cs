using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class BindingReaderTests
{
    private static readonly Binding Other = new(NodeId.Parse("node-b"));

    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly string _one = Text(BindingSample.Whole);
    private readonly string _other = Text(Other);
    private readonly string _unknownKey = Text(BindingSample.Bare, id: 9);

    [Fact]
    public async Task No_cookie_is_none() => Assert.Equal(BindingReading.None, await ReadAsync());

    [Fact]
    public async Task A_genuine_binding_is_read_at_once()
    {
        var reading = Reader.ReadAsync(Values(_one), CancellationToken.None);
        Assert.True(reading.IsCompletedSuccessfully);
        Assert.Equal(BindingReading.Valid(BindingSample.Whole), await reading);
    }

    [Fact]
    public async Task The_first_genuine_one_counts()
    {
        Assert.Equal(BindingReading.Valid(BindingSample.Whole), await ReadAsync(_one, _other));
        Assert.Equal(BindingReading.Valid(Other), await ReadAsync(_other, _one));
        Assert.Equal(BindingReading.Valid(Other), await ReadAsync("garbage", "", _other));
        Assert.Equal(BindingReading.Valid(BindingSample.Whole), await ReadAsync(_one, _one, "a", "b", "c"));
    }

    [Fact]
    public async Task Garbage_is_refused_for_its_first_fault_and_at_once()
    {
        var reading = Reader.ReadAsync(Values("garbage", "!" + _one[1..], _one[..^1] + "!"), CancellationToken.None);
        Assert.True(reading.IsCompletedSuccessfully);
        Assert.Equal(BindingReading.Refused(TicketReasons.BadLength), await reading);
    }

    [Fact]
    public async Task Only_three_values_are_looked_at() =>
        Assert.Equal(BindingReading.Refused(TicketReasons.TooMany), await ReadAsync("a", "b", "c", _one));

    [Fact]
    public async Task Nobody_waits_for_a_key_while_another_binding_is_genuine()
    {
        Assert.Equal(BindingReading.Valid(BindingSample.Whole), await ReadAsync(_unknownKey, _one));
        Assert.Equal(0, _keys.LookUps);
    }

    [Fact]
    public async Task A_key_that_another_node_has_just_made_is_fetched()
    {
        _keys.LookUp = KeyLookup.Found(Sample.Key(id: 9));
        Assert.Equal(BindingReading.Valid(BindingSample.Bare), await ReadAsync(_unknownKey));
        Assert.Equal(BindingReading.Valid(BindingSample.Bare), await ReadAsync("garbage", _unknownKey));
        Assert.Equal(1, _keys.LookUps);
    }

    [Fact]
    public async Task A_key_that_was_fetched_and_did_not_sign_this_is_refused()
    {
        _keys.LookUp = KeyLookup.Found(Sample.Key(id: 9, seed: 99));
        Assert.Equal(BindingReading.Refused(TicketReasons.BadMac), await ReadAsync(_unknownKey));
    }

    [Fact]
    public async Task A_key_that_does_not_exist_is_refused() =>
        Assert.Equal(BindingReading.Refused(TicketReasons.UnknownKey), await ReadAsync(_unknownKey));

    [Fact]
    public async Task A_binding_is_not_judged_while_the_keys_cannot_be_read()
    {
        _keys.LookUp = KeyLookup.Unreachable;
        Assert.Equal(BindingReading.Unverifiable, await ReadAsync(_unknownKey));
        Assert.Equal(BindingReading.Unverifiable, await ReadAsync("garbage", _unknownKey, "more", "and more"));
    }

    [Fact]
    public async Task Unknown_keys_of_one_request_share_one_wait()
    {
        var turn = new TaskCompletionSource();
        _keys.Turn = turn.Task;
        var reading = ReadAsync(_unknownKey, Text(Other, id: 10), Text(Other, id: 11));

        Assert.Equal(3, _keys.LookUps);
        turn.SetResult();
        Assert.Equal(BindingReading.Refused(TicketReasons.UnknownKey), await reading);
    }

    private BindingReader Reader => new(BindingSample.Codec(), _keys);

    private async Task<BindingReading> ReadAsync(params string[] values) => await Reader.ReadAsync(Values(values), CancellationToken.None);

    private static CookieValues Values(params string[] values) =>
        CookieValues.Read(string.Join("; ", values.Select(value => $"{BindingSample.CookieName}={value}")), BindingSample.CookieName);

    private static string Text(Binding binding, ulong id = 0x0102030405060708) => BindingSample.Codec().Encode(binding, Sample.Key(id));
}
