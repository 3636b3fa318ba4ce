using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Affinity.Stickiness;

/// <summary>The cookie of the app that bindings follow with <see cref="BindingLifetime.Application"/>. Its value is never looked at.</summary>
/// <param name="name">Its name; null: bindings follow none.</param>
/// <param name="time">Tells what has expired.</param>
internal sealed class ApplicationCookie(string? name, TimeProvider time)
{
    public bool CameWith(HttpRequest request) => name is not null && CookieValues.Read(request.Headers.Cookie, name).Count > 0;

    /// <summary>How it stands when the response starts; of several lines of one name a browser keeps the last.</summary>
    public ApplicationCookieState StateOf(HttpResponse response, bool cameWithRequest)
    {
        var state = cameWithRequest ? ApplicationCookieState.CameWithRequest : ApplicationCookieState.Absent;
        if (name is null)
        {
            return state;
        }

        foreach (var line in response.Headers.SetCookie)
        {
            if (line is not null && line.Length > name.Length && line[name.Length] == '=' && line.StartsWith(name, StringComparison.Ordinal))
            {
                state = Removes(line) ? ApplicationCookieState.Removed : ApplicationCookieState.Issued;
            }
        }

        return state;
    }

    // RFC 6265, section 5.3: Max-Age has precedence over Expires.
    private bool Removes(string line) =>
        SetCookieHeaderValue.TryParse(line, out var cookie)
        && (cookie.MaxAge is { } age ? age <= TimeSpan.Zero : cookie.Expires is { } end && end <= time.GetUtcNow());
}
