using FsCheck;
using FsCheck.Fluent;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>What a request does to its session.</summary>
internal enum ModelAct
{
    Read,
    Set,
    SetOwn,
    Increment,
    Renew,
    Abandon,
}

/// <summary>What happens next in the world.</summary>
internal enum ModelEvent
{
    /// <summary>Browser A sends a request to node B; C is the act. The first browser waits for the answer before it sends another one.</summary>
    Send,

    /// <summary>The handler of one of the running requests (A) does its act and the session is saved.</summary>
    Work,

    /// <summary>One of the answers under way (A) reaches its browser, in any order: Set-Cookies overtake each other.</summary>
    Receive,

    /// <summary>Time passes, for all nodes.</summary>
    Advance,

    /// <summary>From now on node A's answers from the store are held back: reads (B = 1), changes (2), both (3) or none (0).</summary>
    Hold,

    /// <summary>One (B) of the store's answers under way to node A arrives.</summary>
    Arrive,

    /// <summary>Node A hears announcements (B = 0), misses them (1) or hears them late (2).</summary>
    Hearing,

    /// <summary>One (B) of the late announcements to node A arrives; the next time again, if it is the same one.</summary>
    HearLate,

    /// <summary>Node A slides the idle time of browser B's session.</summary>
    Touch,

    /// <summary>Browser A gets the cookies of browser B: a synchronisation, or a theft.</summary>
    Clone,
}

/// <summary>One event, with numbers that say who and which.</summary>
internal readonly record struct ModelStep(ModelEvent Event, int A, int B, int C)
{
    public static readonly TimeSpan[] Pauses =
    [
        NearSample.Tick, NearSample.Tick, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), NearSample.MaxAge - NearSample.Tick, NearSample.MaxAge,
        TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(20),
    ];

    public static Arbitrary<ModelStep[]> Plans { get; } = Arb.From(
        from count in Gen.Choose(40, 160)
        from steps in Step().ArrayOf(count)
        select (ModelStep[])[.. Opening, .. steps],
        Shrink);

    /// <summary>A session that all three browsers have: so that they meet in it.</summary>
    private static ModelStep[] Opening =>
        [new(ModelEvent.Send, 0, 0, 9), new(ModelEvent.Work, 0, 0, 0), new(ModelEvent.Receive, 0, 0, 0), new(ModelEvent.Clone, 1, 0, 0), new(ModelEvent.Clone, 2, 0, 0)];

    public override string ToString() => $"{Event}({A},{B},{C})";

    private static Gen<ModelStep> Step() =>
        from what in Gen.Frequency(
            (26, Gen.Constant(ModelEvent.Send)),
            (26, Gen.Constant(ModelEvent.Work)),
            (20, Gen.Constant(ModelEvent.Receive)),
            (8, Gen.Constant(ModelEvent.Advance)),
            (5, Gen.Constant(ModelEvent.Hold)),
            (8, Gen.Constant(ModelEvent.Arrive)),
            (3, Gen.Constant(ModelEvent.Hearing)),
            (3, Gen.Constant(ModelEvent.HearLate)),
            (3, Gen.Constant(ModelEvent.Touch)),
            (5, Gen.Constant(ModelEvent.Clone)))
        from a in Gen.Choose(0, 5)
        from b in Gen.Choose(0, 5)
        from c in Gen.Choose(0, 19)
        select new ModelStep(what, a, b, c);

    // Without a stretch of steps, shorter and shorter ones.
    private static IEnumerable<ModelStep[]> Shrink(ModelStep[] plan)
    {
        for (var length = plan.Length / 2; length > 0; length /= 2)
        {
            for (var at = 0; at + length <= plan.Length; at += length)
            {
                yield return [.. plan[..at], .. plan[(at + length)..]];
            }
        }
    }
}
