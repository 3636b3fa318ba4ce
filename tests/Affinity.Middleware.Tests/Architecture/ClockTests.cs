using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>Time comes from a TimeProvider, so that tests move it instead of waiting for it.</summary>
public sealed partial class ClockTests
{
    [Fact]
    public void No_clock_but_the_TimeProvider()
        => Convention.Holds("Take the time from the injected TimeProvider.", SourceTree.Files.SelectMany(file => file.Find(OtherClock(), file.Code)));

    [Fact]
    public void Whatever_waits_for_a_time_is_given_the_TimeProvider()
        => Convention.Holds("Give the TimeProvider to whatever waits for a time.",
            from file in SourceTree.Files
            from Match wait in Wait().Matches(file.Code)
            where !Provider().IsMatch(wait.Groups["arguments"].Value)
            select file.At(wait, file.Code));

    [GeneratedRegex(
        @"\b(DateTime(Offset)?\.(UtcNow|Now|Today)|Thread\.Sleep|SpinWait|Stopwatch|Environment\.TickCount(64)?|new\s+([\w.]+\.)?Timer|CancelAfter)\b",
        RegexOptions.ExplicitCapture)]
    private static partial Regex OtherClock();

    // With its arguments, by balanced parentheses. A connection of Npgsql waits for a notification by the driver's clock.
    [GeneratedRegex(
        @"\b(Task\.Delay|new\s+PeriodicTimer|new\s+CancellationTokenSource|(?<!\bconnection\.)WaitAsync)\((?<arguments>(?>[^()]+|\((?<depth>)|\)(?<-depth>))*)(?(depth)(?!))\)",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Wait();

    // Nothing or a token alone waits for no time.
    [GeneratedRegex(@",\s*(_?time|TimeProvider)\b|^$|^[\w.]*Token$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Provider();
}
