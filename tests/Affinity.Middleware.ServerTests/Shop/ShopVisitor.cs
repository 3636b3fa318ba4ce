using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.ServerTests.Shop;

/// <summary>Somebody with a browser: keeps cookies, sends the forms that the pages hold, follows redirects one at a time.</summary>
internal sealed partial class ShopVisitor : IDisposable
{
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _client;
    private readonly Uri _shop;

    public ShopVisitor(Uri shop)
    {
        _shop = shop;
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = _cookies, AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = shop };
    }

    public IEnumerable<string> CookieNames => _cookies.GetCookies(_shop).Select(cookie => cookie.Name);

    public Task<HttpResponseMessage> GetAsync(string path) => _client.GetAsync(path);

    /// <summary>The page's HTML, which has to be there.</summary>
    public async Task<string> OpenAsync(string path)
    {
        using var response = await _client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>Opens a page and sends one of its forms, whose hidden token comes along.</summary>
    public async Task<HttpResponseMessage> PostAsync(string page, string? handler, params (string Name, string Value)[] fields)
    {
        var token = Token().Match(await OpenAsync(page));
        Assert.True(token.Success, $"{page} has no form with a token.");
        return await PostFormAsync(handler is null ? page : $"{page}?handler={handler}", [.. fields, ("__RequestVerificationToken", token.Groups["token"].Value)]);
    }

    /// <summary>A form as any site could send it.</summary>
    public async Task<HttpResponseMessage> PostFormAsync(string path, params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return await _client.PostAsync(path, content);
    }

    /// <summary>As <see cref="PostAsync"/>, and opens the page that the answer leads to.</summary>
    public async Task<string> SubmitAsync(string page, string? handler, params (string Name, string Value)[] fields)
    {
        using var response = await PostAsync(page, handler, fields);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return await OpenAsync(response.Headers.Location!.OriginalString);
    }

    public async Task<HttpResponseMessage> SendAsync(string method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = json is null ? null : new StringContent(json, mediaType: new("application/json"));
        return await _client.SendAsync(request);
    }

    /// <summary>The answer's JSON; it has to be a success.</summary>
    public async Task<JsonElement> JsonAsync(string method, string path, string? json = null)
    {
        using var response = await SendAsync(method, path, json);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"(?<token>[^\"]+)\"", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
