namespace Affinity.Stickiness;

/// <summary>
/// How a route cookie's value names a node, so that the balancer in front sends the visitor there. Implement it for a balancer whose values the dialects of
/// <see cref="AffinityDialect"/> do not cover; for values that are computed from a node alone, <see cref="ComputedDialect"/> saves the work.
/// One instance serves all requests at once: it must be safe for concurrent calls, and quick, as it is asked on every request.
/// </summary>
public interface IAffinityDialect
{
    /// <summary>The longest value, in characters, that is ever written, or handed to <see cref="Read"/>.</summary>
    const int MaxValueLength = 256;

    /// <summary>
    /// Whether a value can name a node at all. False where the balancer alone decides what a value means, for example by hashing it: then <see cref="Read"/> recognises
    /// nothing, and a visitor is moved by a new value and not to a certain node.
    /// </summary>
    bool Steers { get; }

    /// <summary>
    /// Whether values are made of <see cref="RouteTarget.Address"/>. If so, the app does not start without an address of its own (<c>Affinity:Node:Address</c>), and a peer
    /// without one is no target.
    /// </summary>
    bool NeedsAddress { get; }

    /// <summary>
    /// The value that makes the balancer send the visitor to <paramref name="target"/>: 1 to <see cref="MaxValueLength"/> cookie octets (RFC 6265, section 4.1.1: visible
    /// ASCII without quote, comma, semicolon and backslash), written as they are. A node for which it throws or gives anything else is no target:
    /// its visitors are served and none is sent to it by name, with a warning. <see cref="Read"/> must name the same node when it is given this value; start-up tries it.
    /// </summary>
    /// <param name="target">The node; with an address when <see cref="NeedsAddress"/>.</param>
    /// <param name="token">Random and new for each call, 16 characters of <c>A-Z a-z 0-9 _ -</c>: for dialects that have a place for it, to be left out by others.</param>
    /// <exception cref="ArgumentException">The target has no address, and the dialect needs one.</exception>
    string Write(RouteTarget target, string token);

    /// <summary>
    /// What the value names, read as the balancer reads it. The value is what a client sent, raw: anything may stand in it, and no exception may come of it; one counts as unrecognised. Whatever is not
    /// well-formed is <see cref="RouteReading.Unrecognised"/>; a well-formed name is <see cref="RouteReading.Named"/> whether or not such a node lives, where the value tells the name.
    /// </summary>
    /// <param name="value">0 to <see cref="MaxValueLength"/> characters; longer ones are refused before.</param>
    /// <param name="live">
    /// The nodes that live, this one first, for dialects whose values do not spell the name; where two fit, the first counts. A snapshot that never changes, mostly the same
    /// instance from request to request, so that what is computed from it can be kept.
    /// </param>
    RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live);
}
