using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace ShopFarm;

/// <summary>
/// Somebody who shops, with cookies of their own, one request after another, and remembers what the shop has confirmed. Whatever is missing later was lost.
/// </summary>
internal sealed class Visitor : IDisposable
{
    public const string NodeHeader = "X-Affinity-Node";

    private readonly IReadOnlyList<Uri> _doors;
    private readonly Tally _tally;
    private readonly HttpClient _client;
    private readonly Dictionary<string, (int Confirmed, int Unsure)> _ordered = new(StringComparer.Ordinal);
    private readonly string _name;
    private int _door;
    private bool _signedOut;

    public Visitor(string name, IReadOnlyList<Uri> doors, Tally tally)
    {
        (_name, _doors, _tally) = (name, doors, tally);
        _door = Random.Shared.Next(doors.Count);
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { Timeout = TimeSpan.FromSeconds(15) };
    }

    /// <summary>The node that answered last.</summary>
    public string? Node { get; private set; }

    public async Task SignInAsync(CancellationToken cancellationToken)
    {
        // A sign-in that nobody answered is made again: it says the same thing twice.
        while (await SendAsync(HttpMethod.Post, "/api/login", new { name = _name }, cancellationToken) is { Kind: AnswerKind.Unanswered })
        {
        }
    }

    public async Task<IReadOnlyList<string>> ProductsAsync(CancellationToken cancellationToken)
    {
        var answer = await SendAsync(HttpMethod.Get, "/api/products", body: null, cancellationToken);
        return answer.Body is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(p => p.GetProperty("id").GetString()!)] : [];
    }

    public async Task OrderAsync(string product, int quantity, CancellationToken cancellationToken)
    {
        var before = _ordered.GetValueOrDefault(product);
        var answer = await SendAsync(HttpMethod.Post, "/api/basket", new { productId = product, quantity }, cancellationToken);
        _ordered[product] = answer.Kind switch
        {
            AnswerKind.Success => before with { Confirmed = before.Confirmed + quantity },
            AnswerKind.Unanswered => before with { Unsure = before.Unsure + quantity },
            AnswerKind.Failed => before,
            _ => throw new UnreachableException(),
        };
        if (answer.Kind == AnswerKind.Success)
        {
            _tally.Stored(quantity);
        }
    }

    /// <summary>Compares the basket and the sign-in with what was confirmed; true when all is there.</summary>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        var basket = await SendAsync(HttpMethod.Get, "/api/basket", body: null, cancellationToken);
        var who = await SendAsync(HttpMethod.Get, "/api/whoami", body: null, cancellationToken);
        if (basket.Body is not { } lines || who.Body is not { } me)
        {
            return false;
        }

        var signedIn = string.Equals(me.GetProperty("name").GetString(), _name, StringComparison.Ordinal);
        if (!signedIn && !_signedOut)
        {
            // Counted once per visitor, however often they look.
            _signedOut = true;
            _tally.LostSignIn();
        }

        return CompareBasket(lines) & signedIn;
    }

    public void Dispose() => _client.Dispose();

    private bool CompareBasket(JsonElement basket)
    {
        var there = basket.GetProperty("lines").EnumerateArray()
            .ToDictionary(l => l.GetProperty("productId").GetString()!, l => l.GetProperty("quantity").GetInt32(), StringComparer.Ordinal);
        var whole = true;
        foreach (var (product, (confirmed, unsure)) in _ordered.ToList())
        {
            var found = there.GetValueOrDefault(product);
            if (found < confirmed)
            {
                whole = false;
                _tally.LostValues(confirmed - found);
            }
            else if (found > confirmed + unsure)
            {
                whole = false;
                _tally.DoubledValues(found - confirmed - unsure);
            }

            // From here on this is the truth: what was unsure is known now, and a loss is counted once.
            _ordered[product] = (found, 0);
        }

        return whole;
    }

    private async Task<Answer> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        _tally.Request();
        for (var refused = 0; ;)
        {
            var began = Stopwatch.GetTimestamp();
            var (status, answer, fault) = await TryAsync(method, path, body, cancellationToken);
            if (status is >= 200 and < 300)
            {
                return new(AnswerKind.Success, answer);
            }

            if (status == Refused && ++refused < _doors.Count)
            {
                // Nothing was sent. Without a balancer the visitor does what a balancer does.
                _door++;
                continue;
            }

            // No node's name on it: the node died with the request, and the balancer, or nobody, answered for it.
            if (status is Broken or 502 && _tally.OverlapsKill(began))
            {
                if (method == HttpMethod.Get)
                {
                    _tally.Retry();
                    continue;
                }

                _tally.NoAnswer();
                return new(AnswerKind.Unanswered, Body: null);
            }

            _tally.Fail($"{method} {path}: {fault}");
            return new(AnswerKind.Failed, Body: null);
        }
    }

    private const int Broken = 0;
    private const int Refused = -1;

    private async Task<(int Status, JsonElement? Body, string Fault)> TryAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(_doors[_door % _doors.Count], path));
            request.Content = body is null ? null : JsonContent.Create(body);
            using var response = await _client.SendAsync(request, cancellationToken);
            var status = (int)response.StatusCode;
            if (!response.IsSuccessStatusCode)
            {
                return (status, null, $"status {status} of {(response.Headers.Contains(NodeHeader) ? "the shop" : "the balancer")}");
            }

            Node = response.Headers.TryGetValues(NodeHeader, out var nodes) ? nodes.First() : null;
            return (status, await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken), "");
        }
        catch (HttpRequestException fault) when (fault.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return (Refused, null, "connection refused");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (Broken, null, fault.Message);
        }
    }

    private enum AnswerKind
    {
        Success,
        Unanswered,
        Failed,
    }

    private readonly record struct Answer(AnswerKind Kind, JsonElement? Body);
}
