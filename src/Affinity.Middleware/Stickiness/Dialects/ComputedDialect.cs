using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>
/// Values that are a function of the node alone, as balancers compute them that set the cookie by themselves. Reading is looking for the living node whose value it is, so
/// the value of a node that no longer lives is not recognised. None of these values is a secret or proves anything.
/// <para>
/// There is no recipe for YARP's <c>HashCookie</c>: its XxHash64 stands in a package (System.IO.Hashing) that this one does without. Use <c>ArrCookie</c> there, or the constructor.
/// </para>
/// </summary>
public sealed class ComputedDialect : IAffinityDialect
{
    // A name and an address that documents use and no farm has (RFC 5737).
    private static readonly RouteTarget Example = new(NodeId.Parse("affinity-example"), "192.0.2.1:80");

    private readonly Func<RouteTarget, string> _compute;
    private Table _table;
    private Table _before;

    /// <summary>A dialect by a function of one's own.</summary>
    /// <param name="compute">The node's value, always the same for the same target; see <see cref="IAffinityDialect.Write"/> for what it may consist of. A node for which it throws is no target.</param>
    /// <param name="needsAddress">Whether it is made of the address; then it is never called with a target without one.</param>
    public ComputedDialect(Func<RouteTarget, string> compute, bool needsAddress)
    {
        ArgumentNullException.ThrowIfNull(compute);
        (_compute, NeedsAddress) = (compute, needsAddress);
        _table = _before = new Table([], []);
    }

    /// <inheritdoc/>
    public bool Steers => true;

    /// <inheritdoc/>
    public bool NeedsAddress { get; }

    /// <summary>
    /// What tells two of these apart whose values differ: the recipe, its scheme, its secret. The value of a node that there is not, of the form that every visitor sees; it tells no more of a secret than those do.
    /// Empty for a function that knows only its own nodes.
    /// </summary>
    internal string Fingerprint => ValueOf(Example) ?? "";

    /// <summary>Caddy's <c>lb_policy cookie</c>: HMAC-SHA256 of <c>10.1.1.100:8080</c>, the upstream as its configuration dials it, in lower-case hexadecimal.</summary>
    /// <param name="secret">The secret of that line; empty where there is none.</param>
    public static ComputedDialect CaddyCookie(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var key = Encoding.UTF8.GetBytes(secret);
        return new(target => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(target.Address!))), needsAddress: true);
    }

    /// <summary>nginx's <c>sticky cookie</c> (from 1.29.6, and Plus): MD5 of <c>10.1.1.100:8080</c>, the address that the server's name resolved to, in lower-case hexadecimal.</summary>
    public static ComputedDialect NginxStickyCookie() => new(target => Md5(target.Address!), needsAddress: true);

    /// <summary>Traefik's sticky cookie (from 3.4): the first 16 characters of SHA-256 of the server's URL, <c>http://10.1.1.100:8080</c>, in lower-case hexadecimal.</summary>
    /// <param name="scheme">How Traefik speaks to the nodes: <c>http</c> or <c>https</c>.</param>
    public static ComputedDialect TraefikCookie(string scheme = "http")
    {
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        return new(target => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{scheme}://{target.Address}")))[..16], needsAddress: true);
    }

    /// <summary>
    /// YARP's <c>ArrCookie</c>, which has ARR's form: SHA-256 of the destination's id in lower case and UTF-16LE, in upper-case hexadecimal. The destinations must have the
    /// nodes' names as their ids.
    /// </summary>
    public static ComputedDialect ArrCookie() => new(target => Arr(target.Node.Value), needsAddress: false);

    /// <inheritdoc/>
    public string Write(RouteTarget target, string token) => NeedsAddress && target.Address is null
        ? throw new ArgumentException("The value is made of the node's address, and this node has none.", nameof(target))
        : _compute(target);

    /// <inheritdoc/>
    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live)
    {
        ArgumentNullException.ThrowIfNull(live);

        // Hundreds of hashes per request would cost more than the rest of the stage. A race computes the same table twice.
        var table = Volatile.Read(ref _table);
        if (!ReferenceEquals(table.Live, live))
        {
            table = Another(table, live);
        }

        return value.Length <= IAffinityDialect.MaxValueLength && table.Readings.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(value, out var reading)
            ? reading
            : RouteReading.Unrecognised;
    }

    /// <summary>The nodes that are gone are asked about in turn with those that live.</summary>
    private Table Another(Table last, IReadOnlyList<RouteTarget> live)
    {
        var table = Volatile.Read(ref _before);
        if (!ReferenceEquals(table.Live, live))
        {
            table = Compute(live);
            Volatile.Write(ref _before, last);
            Volatile.Write(ref _table, table);
        }

        return table;
    }

    private Table Compute(IReadOnlyList<RouteTarget> live)
    {
        var readings = new Dictionary<string, RouteReading>(live.Count, StringComparer.Ordinal);
        foreach (var target in live)
        {
            if (ValueOf(target) is { } value)
            {
                readings.TryAdd(value, RouteReading.Named(target.Node));
            }
        }

        return new Table(live, readings);
    }

    /// <summary>Null for a node that the function does not know: reading is not to fail for it.</summary>
    private string? ValueOf(RouteTarget target)
    {
        if (NeedsAddress && target.Address is null)
        {
            return null;
        }

        try
        {
            return _compute(target);
        }
        catch (Exception)
        {
            return null;
        }
    }

    [SuppressMessage("Security", "CA5351", Justification = "nginx prescribes it, and nothing rests on its strength.")]
    private static string Md5(string address) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(address)));

    [SuppressMessage("Globalization", "CA1308", Justification = "ARR prescribes it, and a node's name is ASCII.")]
    private static string Arr(string id) => Convert.ToHexString(SHA256.HashData(Encoding.Unicode.GetBytes(id.ToLowerInvariant())));

    private sealed record Table(IReadOnlyList<RouteTarget> Live, Dictionary<string, RouteReading> Readings);
}
