using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class AgentWordTests
{
    private const string Draining = "The node is draining, by command.";
    private const string NotJoined = "The node has not yet joined the node directory.";

    public static TheoryData<string, string[], bool, bool, int, string> Cases => new()
    {
        { "ready", [], true, false, 100, "ready up 100%" },
        { "ready, with much to do", [], true, false, 35, "ready up 35%" },
        { "the server does not listen yet", [], false, false, 100, "down #The app is starting." },
        { "not ready, and the server does not listen yet", [NotJoined], false, false, 100, "down #The app is starting." },
        { "draining: bound visitors still come", [Draining], true, false, 35, "drain up" },
        { "stopping, and everybody has had their time", [Draining], true, true, 100, "stopped #The node is stopping." },
        { "not ready for another reason", [NotJoined], true, false, 100, "down #The node has not yet joined the node directory." },
        { "draining and not ready for another reason: bound visitors could not be served either", [Draining, NotJoined], true, false, 100, "down #The node has not yet joined the node directory." },
        { "the same when it stops", [Draining, NotJoined], true, true, 100, "down #The node has not yet joined the node directory." },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_HAProxy_is_told(string what, string[] reasons, bool serves, bool evacuated, int percent, string word)
    {
        Assert.NotEmpty(what);
        Assert.Equal(word, AgentWord.Of(Answer(reasons), serves, evacuated, percent));
    }

    [Fact]
    public void A_reason_is_one_short_line_of_ASCII_whatever_stands_in_it() =>
        Assert.Equal("down #a?up?b?" + new string('x', 113), AgentWord.Of(Answer(["a\nup\rb\u00e9" + new string('x', 500)]), serves: true, evacuated: false, 100));

    private static ReadyAnswer Answer(string[] reasons) =>
        new("node-a", "active", reasons.Length == 0, reasons, Degraded: null) { IsDrainingOnly = reasons is [Draining] };
}
