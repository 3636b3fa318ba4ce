using Microsoft.AspNetCore.Http;

namespace Affinity.Sessions;

/// <summary>The cookie of the framework's session: read as the framework reads it, and never written.</summary>
internal sealed class FrameworkCookie(SessionsOptions options)
{
    /// <summary>Whether the visitor has it; nothing is known of its worth.</summary>
    public bool IsIn(HttpRequest request) => request.Headers.Cookie.Count > 0 && request.Cookies.ContainsKey(options.FrameworkCookieName);

    /// <summary>Its value; null: the visitor has none.</summary>
    public string? Read(HttpRequest request) => request.Cookies[options.FrameworkCookieName];

    /// <summary>Takes it from the visitor, if the response has not begun.</summary>
    public void Remove(HttpResponse response)
    {
        if (!response.HasStarted)
        {
            response.Cookies.Delete(options.FrameworkCookieName);
        }
    }
}
