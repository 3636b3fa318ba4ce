using Xunit;

namespace Affinity.FaultTests.History;

/// <summary>A checker that cannot find fault is worth nothing: each kind of broken promise, and what looks like one and is none.</summary>
public sealed class HistoryCheckerTests
{
    private const int Ok = 200;

    [Fact]
    public void A_history_in_which_everything_is_read_again_has_no_fault()
    {
        var verdict = Check(Set("a", 1, "a=1"), Add("a=1 n=1"), Set("b", 2, "a=1 b=2 n=1"), Read("a=1 b=2 n=1"), Set("a", 3, "a=3 b=2 n=1"), Read("a=3 b=2 n=1", node: "other"));

        AssertFaultless(verdict);
        Assert.Equal((6, 4, 0), (verdict.Requests, verdict.Saved, verdict.Lost));
    }

    [Fact]
    public void A_value_that_was_saved_and_is_gone_is_lost_and_not_told()
    {
        var verdict = Check(Set("a", 1, "a=1"), Set("b", 2, "a=1 b=2"), Read("b=2"), Read("b=2"));

        Assert.Equal((1, 0, 1), (verdict.Lost, verdict.ToldLost, verdict.LostAndNotTold));
        Assert.Contains("a=1", Assert.Single(verdict.Complaints), StringComparison.Ordinal);
    }

    [Fact]
    public void An_older_value_instead_of_the_saved_one_is_lost_and_not_told() =>
        Assert.Equal(1, Check(Set("a", 1, "a=1"), Set("a", 2, "a=2"), Read("a=1")).LostAndNotTold);

    [Fact]
    public void A_value_that_is_lost_over_the_next_write_is_found_by_that_write() =>
        Assert.Equal(1, Check(Set("a", 1, "a=1"), Set("b", 2, "b=2"), Set("a", 3, "a=3 b=2"), Read("a=3 b=2")).LostAndNotTold);

    [Fact]
    public void An_answer_that_does_not_show_what_it_says_it_has_saved_is_a_lost_write() =>
        Assert.Equal(1, Check(Set("a", 1, "")).LostAndNotTold);

    [Fact]
    public void A_loss_that_is_told_with_the_first_response_that_misses_it_is_told()
    {
        var verdict = Check(Set("a", 1, "a=1"), Set("b", 2, "a=1 b=2"), Told(Read("a=1")), Read("a=1"));

        AssertFaultless(verdict);
        Assert.Equal((1, 1), (verdict.Lost, verdict.ToldLost));
    }

    [Fact]
    public void A_loss_that_is_told_too_late_is_not_told() =>
        Assert.Equal((0, 1), Losses(Check(Set("a", 1, "a=1"), Read(""), Told(Read("")))));

    [Fact]
    public void A_save_that_tells_the_loss_of_what_was_before_starts_anew() =>
        Assert.Equal((2, 0), Losses(Check(Set("a", 1, "a=1"), Add("a=1 n=1"), Told(Set("b", 2, "b=2")), Add("b=2 n=1"), Read("b=2 n=1"))));

    [Fact]
    public void What_was_told_as_lost_may_come_back_and_go_again_if_that_is_told()
    {
        var verdict = Check(Set("a", 1, "a=1"), Told(Read("")), Read("a=1"), Told(Read("")), Read(""));

        AssertFaultless(verdict);
    }

    [Fact]
    public void What_is_missing_once_and_there_again_is_a_stale_read()
    {
        var verdict = Check(Set("a", 1, "a=1"), Set("a", 2, "a=2"), Read("a=1", node: "other"), Read("a=2"));

        Assert.Equal((0, 0, 1), (verdict.Lost, verdict.LostAndNotTold, verdict.Stale));
    }

    [Fact]
    public void A_counter_that_goes_back_and_comes_again_is_a_stale_read() =>
        Assert.Equal(1, Check(Add("n=1"), Add("n=2"), Read("n=1", node: "other"), Add("n=3")).Stale);

    [Fact]
    public void A_counter_that_goes_back_and_counts_on_from_there_has_lost_an_update()
    {
        var verdict = Check(Add("n=1"), Add("n=2"), Read("n=1"), Add("n=2"), Read("n=2"));

        Assert.Equal((1, 0), (verdict.LostAndNotTold, verdict.Stale));
    }

    [Fact]
    public void Another_visitors_value_is_a_crossed_session()
    {
        var verdict = HistoryChecker.Check([Set("a", 1, "a=1"), Set("a", 1, "a=1", visitor: 2), Raw(Act.Read, ("a", "2.0.1"))]);

        Assert.Equal(1, verdict.Crossed);
    }

    [Fact]
    public void Anything_that_the_cookies_of_an_ended_session_show_is_a_resurrected_session()
    {
        var end = new HistoryEvent { Visitor = 1, Session = 0, Act = Act.Abandon, Status = Ok };

        Assert.Equal(0, HistoryChecker.Check([Set("a", 1, "a=1"), end, Raw(Act.Haunt)]).Resurrected);
        Assert.Equal(1, HistoryChecker.Check([Set("a", 1, "a=1"), end, Raw(Act.Haunt, ("a", "1.0.1"))]).Resurrected);
    }

    [Fact]
    public void A_value_of_the_visitors_earlier_session_is_a_resurrected_session() =>
        Assert.Equal(1, HistoryChecker.Check([Set("a", 1, "a=1"), Set("a", 2, "") with { Session = 1, Items = Items(("a", "1.0.1")) }]).Resurrected);

    [Fact]
    public void A_write_without_an_answer_may_be_there_or_not_at_any_later_time()
    {
        AssertFaultless(Check(Set("a", 1, "a=1"), Set("b", 2, "", status: 0), Read("a=1"), Read("a=1 b=2")));
        AssertFaultless(Check(Set("a", 1, "a=1"), Set("b", 2, "", status: 503), Read("a=1 b=2"), Read("a=1")));
        AssertFaultless(Check(Add("n=1"), Add("", status: 503), Add("n=3"), Add("n=4"), Read("n=4")));
        AssertFaultless(Check(Add("n=1"), Add("", status: 503), Add("n=2"), Read("n=2"), Read("n=3")));
    }

    [Fact]
    public void An_addition_that_was_made_twice_is_impossible()
    {
        Assert.Equal(1, Check(Add("n=1"), Add("n=3")).Impossible);
        Assert.Equal(1, Check(Add("n=1"), Add("", status: 503), Add("n=4")).Impossible);
    }

    [Fact]
    public void A_value_that_nobody_wrote_is_impossible() =>
        Assert.Equal(1, Check(Set("a", 1, "a=1"), Read("a=7")).Impossible);

    [Fact]
    public void Telling_a_loss_where_nothing_is_missing_is_a_false_alarm()
    {
        Assert.Equal(1, Check(Set("a", 1, "a=1"), Told(Read("a=1"))).FalseAlarms);
        Assert.Equal(0, Check(Set("a", 1, "a=1"), Told(Read("")), Told(Read(""))).FalseAlarms);
    }

    [Fact]
    public void Failed_and_slow_requests_are_counted()
    {
        var verdict = Check(Set("a", 1, "a=1"), Read("", status: 503), Read("a=1") with { Took = TimeSpan.FromSeconds(1.5) });

        Assert.Equal((3, 1, 1), (verdict.Requests, verdict.Failed, verdict.Slow));
    }

    private static HistoryVerdict Check(params HistoryEvent[] history) => HistoryChecker.Check(history);

    private static (int Told, int NotTold) Losses(HistoryVerdict verdict) => (verdict.ToldLost, verdict.LostAndNotTold);

    private static void AssertFaultless(HistoryVerdict verdict)
    {
        Assert.Empty(verdict.Complaints);
        Assert.Equal((0, 0, 0, 0, 0), (verdict.LostAndNotTold, verdict.Stale, verdict.Crossed, verdict.Resurrected, verdict.Impossible));
        Assert.Equal(0, verdict.FalseAlarms);
    }

    private static HistoryEvent Told(HistoryEvent e) => e with { ToldLost = true };

    private static HistoryEvent Set(string key, long value, string shown, int status = Ok, int visitor = 1) =>
        new() { Visitor = visitor, Session = 0, Act = Act.Set, Key = key, Value = value, Status = status, Items = Shown(shown, visitor) };

    private static HistoryEvent Add(string shown, int status = Ok) => new() { Visitor = 1, Session = 0, Act = Act.Add, Status = status, Items = Shown(shown, 1) };

    private static HistoryEvent Read(string shown, int status = Ok, string node = "first") =>
        new() { Visitor = 1, Session = 0, Act = Act.Read, Status = status, Node = node, Items = Shown(shown, 1) };

    private static HistoryEvent Raw(Act act, params (string Key, string Text)[] items) => new() { Visitor = 1, Session = 0, Act = act, Status = Ok, Items = Items(items) };

    private static Dictionary<string, string> Shown(string shown, int visitor) => Items([.. shown.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('='))
        .Select(pair => (pair[0], pair[0] == HistoryChecker.Counter ? pair[1] : HistoryEvent.Text(visitor, 0, long.Parse(pair[1], provider: null))))]);

    private static Dictionary<string, string> Items(params (string Key, string Text)[] items) => items.ToDictionary(item => item.Key, item => item.Text, StringComparer.Ordinal);
}
