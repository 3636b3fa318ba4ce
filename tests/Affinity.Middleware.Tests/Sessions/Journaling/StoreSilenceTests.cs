using Affinity.Sessions;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>A store that was silent is asked by one caller at a time.</summary>
public sealed class StoreSilenceTests
{
    private readonly ManualTime _time = new();
    private readonly SessionsOptions _options = new();
    private readonly StoreSilence _silence;

    public StoreSilenceTests() => _silence = new StoreSilence(_options, _time);

    [Fact]
    public void A_store_that_answers_is_asked_by_all()
    {
        Assert.True(_silence.MayAsk() && _silence.MayAsk());
        _silence.Begin();
        _silence.End();
        Assert.True(_silence.MayAsk() && _silence.MayAsk() && !_silence.IsSilent);
    }

    [Fact]
    public void A_silent_one_is_left_alone_for_up_to_a_second_and_then_asked_by_one()
    {
        _silence.Begin();
        _time.Advance(TimeSpan.FromSeconds(0.74));
        Assert.False(_silence.MayAsk());
        _time.Advance(TimeSpan.FromSeconds(0.26));

        Assert.Equal([true, false, false], [_silence.MayAsk(), _silence.MayAsk(), _silence.MayAsk()]);
    }

    [Fact]
    public void When_whoever_asks_is_not_heard_of_any_more_somebody_else_does()
    {
        _silence.Begin();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_silence.MayAsk());
        _time.Advance(_options.StoreTimeout + TimeSpan.FromSeconds(0.99));
        Assert.False(_silence.MayAsk());
        _time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.True(_silence.MayAsk());
    }
}
