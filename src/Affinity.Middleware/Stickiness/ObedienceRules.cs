using System.Numerics;

namespace Affinity.Stickiness;

/// <summary>Whether the balancer obeys, as far as one node can tell: pure functions. docs/stickiness.md tells them in words.</summary>
internal static class ObedienceRules
{
    public const int LeastMisrouted = 20;
    public const int LeastPercent = 20;

    /// <summary>How many visitors must bear a sign, or it may be one client's doing.</summary>
    public const int LeastVisitors = 5;

    /// <summary>How many windows in a row must be bad. One is not enough: a fail-over moves many visitors, but each of them once.</summary>
    public const int Windows = 2;

    /// <summary>The same where nobody knows which nodes live: in half an hour, longer than the idle timeout is by default, whose node has gone has come once or has no session any more.</summary>
    public const int WindowsWithoutDirectory = 30;

    public const int Signs = (int)ObedienceSign.UnknownName + 1;

    /// <param name="decision">What was decided about the visitor's binding.</param>
    /// <param name="request">What the request brought.</param>
    /// <param name="options">The settings.</param>
    public static ObedienceSign Read(in StickinessDecision decision, in ObedienceRequest request, StickinessOptions options)
    {
        switch (decision.Reason)
        {
            case StickinessReason.BoundHere or StickinessReason.BindingIncomplete or StickinessReason.DrainKeepsBound or StickinessReason.Load or StickinessReason.Lapsed
                or StickinessReason.NodeDraining or StickinessReason.TrackMismatch or StickinessReason.TrackGone or StickinessReason.TrackEnded or StickinessReason.ApplicationCookieGone:
                return ObedienceSign.Obeyed;
            case StickinessReason.OtherNode or StickinessReason.NotObeyed when options.Ownership == RouteOwnership.Balancer:
                return ByBalancer(request);
            case StickinessReason.NodeGone when !options.StoreKnowsNodes:
                // Every other node looks gone.
                return options.Ownership == RouteOwnership.Balancer ? ByBalancer(request) : OnOtherNode(request, options);
            case StickinessReason.NodeGone when request.IsSigned || !request.IsUnknown || options.Ownership == RouteOwnership.Balancer:
                // A signed binding names a node that was there, if before this process.
                return ObedienceSign.Obeyed;
            case var _ when options.Ownership == RouteOwnership.Balancer:
                return ObedienceSign.Uncounted;
            case StickinessReason.OtherNode:
                return OnOtherNode(request, options);
            case StickinessReason.NotObeyed or StickinessReason.RouteMissing or StickinessReason.RouteDisagrees or StickinessReason.NodeGone:
                return ByRoute(request, options);
            case StickinessReason.RouteUnreadable when options.Steers:
                return request.IsOfGone ? ObedienceSign.Obeyed : request.MayBeOfPeer ? ObedienceSign.Ignored : ObedienceSign.Replaced;
            case StickinessReason.NewVisitor when decision.Binding is null && IsStripped(request, options):
                return ObedienceSign.Missing;
            default:
                return ObedienceSign.Uncounted;
        }
    }

    /// <summary>Whether a window of requests looks as if the balancer did not obey.</summary>
    /// <param name="counts">By <see cref="ObedienceSign"/>.</param>
    public static bool IsBad(ReadOnlySpan<int> counts) => Misrouted(counts) is var misrouted && misrouted >= LeastMisrouted && Percent(misrouted, Requests(counts)) >= LeastPercent;

    /// <summary>Leaves out what too few visitors have borne: a client makes requests in no time.</summary>
    /// <param name="counts">By <see cref="ObedienceSign"/>; changed.</param>
    /// <param name="visitors">By <see cref="ObedienceSign"/>: a bit for each visitor, of 64 which some share.</param>
    public static void LeaveOutFew(Span<int> counts, ReadOnlySpan<ulong> visitors)
    {
        for (var sign = (int)ObedienceSign.Ignored; sign < Signs; sign++)
        {
            counts[sign] = BitOperations.PopCount(visitors[sign]) < LeastVisitors ? 0 : counts[sign];
        }
    }

    /// <summary>All requests that count.</summary>
    public static int Requests(ReadOnlySpan<int> counts) => counts[(int)ObedienceSign.Obeyed] + Misrouted(counts);

    /// <summary>The sign that most of the misrouted requests bear.</summary>
    public static ObedienceSign Worst(ReadOnlySpan<int> counts)
    {
        var worst = ObedienceSign.Ignored;
        for (var sign = worst + 1; (int)sign < Signs; sign++)
        {
            worst = counts[(int)sign] > counts[(int)worst] ? sign : worst;
        }

        return worst;
    }

    /// <summary>How many windows in a row must be bad before this is told as the worst sign of the last one.</summary>
    public static int WindowsFor(ObedienceSign worst, StickinessOptions options) =>
        !options.StoreKnowsNodes && worst is (ObedienceSign.Ignored or ObedienceSign.Moved) ? WindowsWithoutDirectory : Windows;

    /// <summary>Rounded down.</summary>
    public static int Percent(int part, int whole) => whole == 0 ? 0 : (int)(100L * part / whole);

    private static int Misrouted(ReadOnlySpan<int> counts)
    {
        var sum = 0;
        foreach (var count in counts[(int)ObedienceSign.Ignored..])
        {
            sum += count;
        }

        return sum;
    }

    private static ObedienceSign OnOtherNode(in ObedienceRequest request, StickinessOptions options)
    {
        if (request.Route != RouteReadingKind.Absent && (options.Ownership != RouteOwnership.App || !options.Steers))
        {
            return ObedienceSign.Moved;
        }

        return request.Route != RouteReadingKind.Named || request.IsUnknown ? ByRoute(request, options)
            : request.NamesHere ? ObedienceSign.Obeyed // two tabs at once: the binding is the other one's
            : ObedienceSign.Ignored;
    }

    /// <summary>To move a visitor the app removes the balancer's cookie, and the balancer chooses anew. That is no sign, unless the balancer seems to set none.</summary>
    private static ObedienceSign ByBalancer(in ObedienceRequest request) =>
        request.Route == RouteReadingKind.Absent && request.OthersHaveRoute ? ObedienceSign.Uncounted : ObedienceSign.Moved;

    /// <summary>A learned cookie that is missing was removed in order to move the visitor, as the app cannot lead them to a certain node.</summary>
    private static ObedienceSign ByRoute(in ObedienceRequest request, StickinessOptions options) =>
        request.Route == RouteReadingKind.Absent ? (options.Ownership == RouteOwnership.Learned ? ObedienceSign.Uncounted : ObedienceSign.Missing)
        : request.IsUnknown ? ObedienceSign.UnknownName
        : request.IsOfGone ? ObedienceSign.Uncounted
        : request.MayBeOfPeer ? ObedienceSign.Ignored
        : ObedienceSign.Replaced;

    /// <summary>
    /// Without a signed binding: a visitor who comes with a session has been given a route cookie together with it, unless a setting ends it earlier; and as the ticket came, the browser keeps cookies.
    /// </summary>
    private static bool IsStripped(in ObedienceRequest request, StickinessOptions options) =>
        request is { HasTicket: true, IsSigned: false, Route: RouteReadingKind.Absent } && options is { Ownership: RouteOwnership.App, Lifetime: BindingLifetime.Browser, Steers: true };
}

/// <summary>What a request brought.</summary>
internal readonly record struct ObedienceRequest
{
    public RouteReadingKind Route { get; init; }

    /// <summary>Whether the route cookie names this node.</summary>
    public bool NamesHere { get; init; }

    /// <summary>Whether it names a node that nobody has ever seen.</summary>
    public bool IsUnknown { get; init; }

    /// <summary>Whether it names nobody who lives, but is the value of a node that was seen, or may be that of one which was gone before this process started.</summary>
    public bool IsOfGone { get; init; }

    /// <summary>Whether it names nobody that this node knows, but may be the value of a node that it cannot know.</summary>
    public bool MayBeOfPeer { get; init; }

    /// <summary>Whether at least half of the bound visitors' requests of the window before came with a route cookie.</summary>
    public bool OthersHaveRoute { get; init; }

    /// <summary>Whether a valid ticket came along.</summary>
    public bool HasTicket { get; init; }

    /// <summary>Whether the binding is signed.</summary>
    public bool IsSigned { get; init; }
}
