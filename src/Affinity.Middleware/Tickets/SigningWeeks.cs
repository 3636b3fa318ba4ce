namespace Affinity.Tickets;

/// <summary>Which weeks' keys count. A week is a run of 604,800 seconds since the Unix epoch, on every node the same.</summary>
internal static class SigningWeeks
{
    /// <summary>A ticket lives 90 days at most; one more for clocks that differ.</summary>
    public const int PastDays = 91;

    /// <summary>A node whose clock runs ahead signs with next week's key a little early.</summary>
    public const int AheadDays = 7;

    /// <summary>How many weeks 91 days back and 7 ahead can touch: 15.</summary>
    public const int MaxAccepted = ((PastDays + AheadDays) / 7) + 1;

    private const long SecondsPerWeek = 604_800;

    public static uint At(DateTimeOffset time) => (uint)(time.ToUnixTimeSeconds() / SecondsPerWeek);

    /// <summary>When a week begins; for weeks that are not far from today.</summary>
    public static DateTimeOffset BeginOf(uint week) => DateTimeOffset.FromUnixTimeSeconds(week * SecondsPerWeek);

    public static bool Accepts(uint week, DateTimeOffset now) =>
        week >= At(now.AddDays(-PastDays)) && week <= At(now.AddDays(AheadDays));
}
