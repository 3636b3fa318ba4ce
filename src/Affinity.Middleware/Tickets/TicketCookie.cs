using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Affinity.Tickets;

/// <summary>
/// The cookie that carries the ticket, written and read raw. It has no Domain, no Expires and no Max-Age: it lives as long as the browser does and the ticket
/// itself says until when it counts. A text that has no room in one cookie is spread over several, all with the same attributes.
/// </summary>
internal sealed class TicketCookie
{
    private readonly string _attributes;
    private readonly string[] _chunkNames;

    public TicketCookie(TicketOptions options)
    {
        Name = NameOf(options);
        _chunkNames = [.. ChunkNamesOf(Name)];
        _attributes = string.Create(
            CultureInfo.InvariantCulture,
            $"; Path=/{(options.InsecureAllowHttp ? "" : "; Secure")}; HttpOnly; SameSite={options.SameSite}");
    }

    public string Name { get; }

    /// <summary>The name that the options lead to.</summary>
    public static string NameOf(TicketOptions options) =>
        options.CookieName ?? (options.InsecureAllowHttp ? "affinity-insecure" : "__Host-affinity");

    /// <summary>The names of the second cookie and of those behind it.</summary>
    public static IEnumerable<string> ChunkNamesOf(string name) => Enumerable.Range(2, TicketChunks.Max - 1).Select(number => TicketChunks.NameOf(name, number));

    public TicketTexts Read(HttpRequest request) => TicketTexts.Read(request.Headers.Cookie, Name);

    /// <summary>Hands the visitor a ticket, and takes away what the request shows to be left of a longer one.</summary>
    public void Write(HttpResponse response, string text)
    {
        var cookies = TicketChunks.Spread(Name, text);
        foreach (var (name, value) in cookies)
        {
            UncacheableCookie.Append(response.Headers, $"{name}={value}{_attributes}");
        }

        RemoveChunks(response, kept: cookies.Count - 1);
    }

    /// <summary>Takes the visitor's ticket away, with all its parts that the request shows.</summary>
    public void Remove(HttpResponse response)
    {
        RemoveOne(response, Name);
        RemoveChunks(response, kept: 0);
    }

    private void RemoveChunks(HttpResponse response, int kept)
    {
        var header = response.HttpContext.Request.Headers.Cookie;
        if (!CookieValues.Read(header, Name).HasNumbered)
        {
            return; // as nearly every visitor: one look is enough
        }

        foreach (var name in _chunkNames.AsSpan(kept))
        {
            if (CookieValues.Read(header, name).Count > 0)
            {
                RemoveOne(response, name);
            }
        }
    }

    private void RemoveOne(HttpResponse response, string name) => UncacheableCookie.Append(response.Headers, $"{name}={_attributes}{UncacheableCookie.Deletion}");
}
