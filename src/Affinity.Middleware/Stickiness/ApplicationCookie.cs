using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Affinity.Stickiness;

/// <summary>The cookie of the app that bindings follow with <see cref="BindingLifetime.Application"/>. Its value is never looked at.</summary>
/// <param name="name">Its name; null: bindings follow none.</param>
/// <param name="time">Tells what has expired.</param>
/// <param name="logger">Is told once of a cookie that does not come with every request.</param>
internal sealed class ApplicationCookie(string? name, TimeProvider time, ILogger<ApplicationCookie> logger)
{
    private int _told;

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
                if (state == ApplicationCookieState.Issued && !ComesWithEveryRequest(line, response.HttpContext.Request) && Interlocked.Exchange(ref _told, 1) == 0)
                {
                    logger.ApplicationCookieNotEverywhere(name);
                }
            }
        }

        return state;
    }

    // RFC 6265, sections 5.1.4 and 5.2.4: of several paths the last counts; without one that begins with a slash it is the folder of the request. An app that lives below a path base has no other requests.
    private static bool ComesWithEveryRequest(string line, HttpRequest request)
    {
        var path = ReadOnlySpan<char>.Empty;
        var text = line.AsSpan();
        foreach (var range in text.Split(';'))
        {
            var attribute = text[range];
            if (range.Start.Value > 0 && attribute.IndexOf('=') is >= 0 and var equals && attribute[..equals].Trim().Equals("Path", StringComparison.OrdinalIgnoreCase))
            {
                path = attribute[(equals + 1)..].Trim();
            }
        }

        if (path is not ['/', ..])
        {
            var address = (request.PathBase + request.Path).Value.AsSpan();
            path = address.LastIndexOf('/') is > 0 and var slash ? address[..slash] : "/";
        }

        return path is "/" || path.TrimEnd('/').SequenceEqual(request.PathBase.Value);
    }

    // RFC 6265, sections 5.2 and 5.3: Max-Age has precedence over Expires, of several the last counts, and what cannot be read is as if it were not there. The framework's own reader takes no
    // negative Max-Age and no value that is out of the grammar, and browsers take both.
    private bool Removes(string line)
    {
        bool? byAge = null, byDate = null;
        var text = line.AsSpan();
        foreach (var range in text.Split(';'))
        {
            var attribute = text[range];
            var equals = attribute.IndexOf('=');
            if (equals < 0 || range.Start.Value == 0)
            {
                continue;
            }

            var word = attribute[..equals].Trim();
            var value = attribute[(equals + 1)..].Trim();
            if (word.Equals("Max-Age", StringComparison.OrdinalIgnoreCase))
            {
                byAge = IsOver(value) ?? byAge;
            }
            else if (word.Equals("Expires", StringComparison.OrdinalIgnoreCase) && HeaderUtilities.TryParseDate(value.ToString(), out var end))
            {
                byDate = end <= time.GetUtcNow();
            }
        }

        return byAge ?? byDate ?? false;
    }

    /// <summary>Whether a Max-Age is zero or less, however long the number is; null: it is none.</summary>
    private static bool? IsOver(ReadOnlySpan<char> age)
    {
        var isNegative = age is ['-', ..];
        var digits = isNegative ? age[1..] : age;
        return digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9') ? null : isNegative || !digits.ContainsAnyExcept('0');
    }
}
