using System.Net;
using System.Net.Http.Json;

namespace Affinity.TestKit;

/// <summary>
/// A visitor with a browser: one cookie jar, and requests to whichever node is named. Concurrent requests are the visitor's tabs.
/// Each request has a connection of its own, and none is ever repeated behind the test's back.
/// </summary>
public sealed class Visitor
{
    private const int MaxRedirects = 10;
    private IReadOnlyList<string> _lastSetCookies = [];

    /// <summary>A visitor with this jar, by default an empty one.</summary>
    public Visitor(CookieJar? cookies = null) => Cookies = cookies ?? new CookieJar();

    /// <summary>The visitor's cookies.</summary>
    public CookieJar Cookies { get; }

    /// <summary>Whether redirects are followed; if not, the test sees them.</summary>
    public bool FollowRedirects { get; init; }

    /// <summary>How long one request may take, its body included unless that is streamed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The Set-Cookie headers of the response that came last, as they stood on the wire.</summary>
    public IReadOnlyList<string> LastSetCookies => Volatile.Read(ref _lastSetCookies);

    /// <summary>Somebody else who holds the same cookies now: an attacker, or another browser after a synchronisation.</summary>
    public Visitor Clone() => new(Cookies.Clone()) { FollowRedirects = FollowRedirects, Patience = Patience };

    /// <summary>GET.</summary>
    public async Task<HttpResponseMessage> GetAsync(Uri node, string path = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, path));
        return await SendAsync(request);
    }

    /// <summary>GET; answers the body of a response that must be a success.</summary>
    public async Task<string> GetStringAsync(Uri node, string path = "")
    {
        using var response = await GetAsync(node, path);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    /// <summary>POST with a body of one's own, or none.</summary>
    public async Task<HttpResponseMessage> PostAsync(Uri node, string path, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node, path)) { Content = content };
        return await SendAsync(request);
    }

    /// <summary>POST as a form sends it.</summary>
    public Task<HttpResponseMessage> PostFormAsync(Uri node, string path, params (string Name, string Value)[] fields)
        => PostAsync(node, path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))));

    /// <summary>POST as JSON.</summary>
    public Task<HttpResponseMessage> PostJsonAsync<T>(Uri node, string path, T body) => PostAsync(node, path, JsonContent.Create(body));

    /// <summary>
    /// Sends any request with the visitor's cookies and keeps those of the answer, as soon as its headers are here. With
    /// <see cref="HttpCompletionOption.ResponseHeadersRead"/> the body is the caller's to read.
    /// </summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        var body = FollowRedirects && request.Content is not null ? await request.Content.ReadAsByteArrayAsync(patience.Token) : null;
        var response = await ExchangeAsync(request, patience.Token);
        for (var hop = 0; FollowRedirects && IsRedirect(response); hop++)
        {
            using var next = hop < MaxRedirects
                ? Redirected(response, body)
                : throw new HttpRequestException($"More than {MaxRedirects} redirects; the last went to {response.Headers.Location}.");
            response.Dispose();
            response = await ExchangeAsync(next, patience.Token);
        }

        if (completion == HttpCompletionOption.ResponseContentRead)
        {
            await response.Content.LoadIntoBufferAsync(patience.Token);
        }

        return response;
    }

    private static bool IsRedirect(HttpResponseMessage response)
        => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is not null;

    private static HttpRequestMessage Redirected(HttpResponseMessage response, byte[]? body)
    {
        var before = response.RequestMessage!;
        var after = new HttpRequestMessage(before.Method, new Uri(before.RequestUri!, response.Headers.Location!));
        if ((int)response.StatusCode is not (307 or 308) && before.Method != HttpMethod.Head)
        {
            after.Method = HttpMethod.Get;
        }
        else if (body is not null)
        {
            after.Content = new ByteArrayContent(body);
            after.Content.Headers.ContentType = before.Content?.Headers.ContentType;
        }

        return after;
    }

    private async Task<HttpResponseMessage> ExchangeAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        var address = request.RequestUri!;
        request.Headers.Remove("Cookie");
        if (Cookies.HeaderFor(address) is { } header)
        {
            request.Headers.TryAddWithoutValidation("Cookie", header);
        }

        var response = await VisitorConnections.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var setCookies = response.Headers.NonValidated.TryGetValues("Set-Cookie", out var values) ? values.ToArray() : [];
        Volatile.Write(ref _lastSetCookies, setCookies);
        foreach (var line in setCookies)
        {
            Cookies.Receive(address, line);
        }

        return response;
    }
}
