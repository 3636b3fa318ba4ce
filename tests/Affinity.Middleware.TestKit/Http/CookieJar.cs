using System.Net;

namespace Affinity.TestKit;

/// <summary>
/// A browser's cookies. Kept per host name and <em>not</em> per port, as RFC 6265 wants it: 127.0.0.1:5001 and 127.0.0.1:5002 are
/// one place. Loopback counts as secure over plain http, as in Chromium. Safe for concurrent use.
/// </summary>
public sealed class CookieJar(TimeProvider? time = null)
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly List<string> _refused = [];
    private List<VisitorCookie> _cookies = [];
    private long _creations;

    /// <summary>Whether the app is shown in a frame of another site: only what is <c>SameSite=None</c> is kept and sent there.</summary>
    public bool InForeignFrame { get; init; }

    /// <summary>The Set-Cookie headers that a browser would not have taken, each with the reason.</summary>
    public IReadOnlyList<string> Refused
    {
        get
        {
            lock (_gate)
            {
                return [.. _refused];
            }
        }
    }

    /// <summary>All cookies that live.</summary>
    public IReadOnlyList<VisitorCookie> All()
    {
        lock (_gate)
        {
            _cookies.RemoveAll(IsOver);
            return [.. _cookies];
        }
    }

    /// <summary>The value of the first living cookie of this name; <c>null</c> when there is none.</summary>
    public string? this[string name] => All().FirstOrDefault(cookie => Same(cookie.Name, name))?.Value;

    /// <summary>Puts a cookie in, past all rules: how an attacker or a test forges one. It takes the place of its namesake.</summary>
    public void Put(VisitorCookie cookie)
    {
        ArgumentNullException.ThrowIfNull(cookie);
        lock (_gate)
        {
            var old = _cookies.FindIndex(other => IsSame(other, cookie));
            cookie = cookie with { Creation = old < 0 ? ++_creations : _cookies[old].Creation };
            if (old < 0)
            {
                _cookies.Add(cookie);
            }
            else
            {
                _cookies[old] = cookie;
            }

            _cookies.RemoveAll(IsOver);
        }
    }

    /// <summary>Takes in a Set-Cookie header that came from an address.</summary>
    public void Receive(Uri address, string setCookie)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(setCookie);
        var (cookie, refusal) = SetCookieLine.Read(setCookie, address, _time.GetUtcNow());
        if (cookie is not null && !MayTravel(cookie))
        {
            (cookie, refusal) = (null, "it is not SameSite=None, and this is a frame of another site");
        }

        if (cookie is not null)
        {
            Put(cookie);
            return;
        }

        lock (_gate)
        {
            _refused.Add($"{setCookie} ({refusal})");
        }
    }

    /// <summary>The Cookie header for a request to this address; <c>null</c> when there is nothing to send.</summary>
    public string? HeaderFor(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var pairs = All()
            .Where(cookie => cookie.HostOnly ? Same(cookie.Host, address.Host) : DomainMatches(address.Host, cookie.Host))
            .Where(cookie => PathMatches(address.AbsolutePath, cookie.Path))
            .Where(cookie => !cookie.Secure || IsTrustworthy(address))
            .Where(MayTravel)
            .OrderByDescending(cookie => cookie.Path.Length)
            .ThenBy(cookie => cookie.Creation)
            .Select(cookie => $"{cookie.Name}={cookie.Value}")
            .ToArray();
        return pairs.Length == 0 ? null : string.Join("; ", pairs);
    }

    /// <summary>Removes every cookie of this name.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            _cookies.RemoveAll(cookie => Same(cookie.Name, name));
        }
    }

    /// <summary>Closes the browser: cookies without an end are gone.</summary>
    public void CloseBrowser()
    {
        lock (_gate)
        {
            _cookies.RemoveAll(cookie => cookie.Expires is null);
        }
    }

    /// <summary>A jar of its own with the same cookies.</summary>
    public CookieJar Clone()
    {
        lock (_gate)
        {
            return new CookieJar(_time) { InForeignFrame = InForeignFrame, _cookies = [.. _cookies], _creations = _creations };
        }
    }

    internal static bool DomainMatches(string host, string domain)
        => Same(host, domain) || (host.EndsWith("." + domain, StringComparison.Ordinal) && !IPAddress.TryParse(host, out _));

    internal static bool IsTrustworthy(Uri address)
        => Same(address.Scheme, Uri.UriSchemeHttps) || address.IsLoopback || address.Host.EndsWith(".localhost", StringComparison.Ordinal);

    private static bool PathMatches(string path, string cookiePath)
        => Same(path, cookiePath)
            || (path.StartsWith(cookiePath, StringComparison.Ordinal) && (cookiePath.EndsWith('/') || path[cookiePath.Length] == '/'));

    private static bool IsSame(VisitorCookie one, VisitorCookie other)
        => Same(one.Name, other.Name) && Same(one.Host, other.Host) && one.HostOnly == other.HostOnly && Same(one.Path, other.Path);

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.Ordinal);

    private bool MayTravel(VisitorCookie cookie) => !InForeignFrame || string.Equals(cookie.SameSite, "None", StringComparison.OrdinalIgnoreCase);

    private bool IsOver(VisitorCookie cookie) => cookie.Expires <= _time.GetUtcNow();
}
