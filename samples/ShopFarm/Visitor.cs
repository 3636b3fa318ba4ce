using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace ShopFarm;

/// <summary>Which door a visitor takes with the next request, where there are several.</summary>
internal enum Doors
{
    /// <summary>The one that worked last.</summary>
    Same,

    /// <summary>Each in its turn.</summary>
    InTurn,

    /// <summary>Any, as with a name that has many addresses.</summary>
    AnyOfThem,
}

/// <summary>
/// Somebody who shops, with cookies of their own and a connection that stays open, one request after another, and remembers what the shop has confirmed. Whatever is missing later was lost.
/// </summary>
internal sealed class Visitor : IDisposable
{
    public const string NodeHeader = "X-Affinity-Node";
    public const string RouteCookie = "AFF";

    private const int PatienceWithGets = 3;
    private const int PatienceWithSignIn = 50;

    /// <summary>By this the app's own route cookie differs from one that a balancer inserts for whom the app has given none.</summary>
    private const string AppsOwn = "SameSite=Lax";

    private readonly IReadOnlyList<Uri> _doors;
    private readonly Doors _choice;
    private readonly Tally _tally;
    private readonly HttpClient _client;
    private readonly Dictionary<string, (int Confirmed, int Unsure)> _ordered = new(StringComparer.Ordinal);
    private readonly string _name;
    private int _door;
    private bool _signedOut;

    public Visitor(string name, IReadOnlyList<Uri> doors, Tally tally, Doors choice = Doors.Same)
    {
        (_name, _doors, _tally, _choice) = (name, doors, tally, choice);
        _door = Random.Shared.Next(doors.Count);

        // The client never repeats a post behind our back; a GET on a connection that was found closed it does, as browsers do.
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer(), UseProxy = false, ActivityHeadersPropagator = null }) { Timeout = TimeSpan.FromSeconds(15) };
    }

    /// <summary>The node that answered last.</summary>
    public string? Node { get; private set; }

    /// <summary>The node that the app's route cookie names; null without one. A balancer's own does not count.</summary>
    public string? BoundTo { get; private set; }

    /// <summary>How many route cookies of the app have come so far.</summary>
    public int Bindings { get; private set; }

    public async Task SignInAsync(CancellationToken cancellationToken)
    {
        // A sign-in that nobody answered is made again: it says the same thing twice.
        for (var tries = 1; !(await SendAsync(HttpMethod.Post, "/api/login", new { name = _name }, cancellationToken)).Succeeded; tries++)
        {
            await Task.Delay(200, cancellationToken);
            if (tries == PatienceWithSignIn)
            {
                throw new FarmException($"{_name} could not sign in: {string.Join("; ", _tally.Faults.TakeLast(3).Select(fault => fault.What))}.");
            }
        }
    }

    public async Task<IReadOnlyList<string>> ProductsAsync(CancellationToken cancellationToken)
    {
        var answer = await SendAsync(HttpMethod.Get, "/api/products", body: null, cancellationToken);
        return answer.Body is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(p => p.GetProperty("id").GetString()!)] : [];
    }

    /// <summary>False when nobody knows whether it was ordered: the next look into the basket tells.</summary>
    public async Task<bool> OrderAsync(string product, int quantity, CancellationToken cancellationToken)
    {
        var before = _ordered.GetValueOrDefault(product);
        var answer = await SendAsync(HttpMethod.Post, "/api/basket", new { productId = product, quantity }, cancellationToken);
        if (answer.Succeeded)
        {
            _tally.Stored(quantity);
        }

        _ordered[product] = answer.Succeeded ? before with { Confirmed = before.Confirmed + quantity } : before with { Unsure = before.Unsure + quantity };
        return answer.Succeeded;
    }

    /// <summary>Compares the basket and the sign-in with what was confirmed; true when all is there.</summary>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken) => await CheckBasketAsync(cancellationToken) & await CheckSignInAsync(cancellationToken);

    public async Task<bool> CheckBasketAsync(CancellationToken cancellationToken)
    {
        var basket = await SendAsync(HttpMethod.Get, "/api/basket", body: null, cancellationToken);
        return basket.Body is { } lines && CompareBasket(lines);
    }

    public void Dispose() => _client.Dispose();

    private async Task<bool> CheckSignInAsync(CancellationToken cancellationToken)
    {
        var who = await SendAsync(HttpMethod.Get, "/api/whoami", body: null, cancellationToken);
        if (who.Body is not { } me)
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

        return signedIn;
    }

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

            // From here on this is the truth, and a loss is counted once. What is not there may still come: a shop finishes a post whose balancer has died.
            _ordered[product] = (found, Math.Max(0, unsure - Math.Max(0, found - confirmed)));
        }

        return whole;
    }

    /// <summary>A GET that broke is asked again, as by somebody who presses reload; a POST is not. Each that broke is a fault.</summary>
    private async Task<Answer> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        _door = _choice switch
        {
            Doors.InTurn => _door + 1,
            Doors.AnyOfThem => Random.Shared.Next(_doors.Count),
            _ => _door,
        };
        for (int refused = 0, broken = 0; ;)
        {
            var began = TimeProvider.System.GetTimestamp();
            var answer = await TryAsync(method, path, body, cancellationToken);
            if (answer.WasRefused && ++refused < _doors.Count)
            {
                // Nothing was sent. Without a balancer the visitor does what a balancer does.
                _door++;
                continue;
            }

            _tally.Request(method == HttpMethod.Post, TimeProvider.System.GetElapsedTime(began));
            if (answer.Succeeded)
            {
                return answer;
            }

            _tally.Fail(new Fault(method == HttpMethod.Post, BoundTo, began, TimeProvider.System.GetTimestamp(), $"{method} {path}: {answer.What}"));
            if (method == HttpMethod.Post || ++broken == PatienceWithGets)
            {
                return answer;
            }
        }
    }

    private async Task<Answer> TryAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(_doors[_door % _doors.Count], path));
            request.Content = body is null ? null : JsonContent.Create(body);
            using var response = await _client.SendAsync(request, cancellationToken);
            Learn(response.Headers);
            return response.IsSuccessStatusCode
                ? new(Succeeded: true) { Body = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken) }
                : new(Succeeded: false) { What = $"status {(int)response.StatusCode} of {(response.Headers.Contains(NodeHeader) ? "the shop" : "the balancer")}" };
        }
        catch (HttpRequestException fault) when (fault.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return new(Succeeded: false) { What = "connection refused", WasRefused = true };
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(Succeeded: false) { What = (fault.InnerException ?? fault).Message };
        }
    }

    private void Learn(System.Net.Http.Headers.HttpResponseHeaders headers)
    {
        Node = headers.TryGetValues(NodeHeader, out var nodes) ? nodes.First() : null;
        if (BoundTo is not null && Node is not null && !string.Equals(BoundTo, Node, StringComparison.Ordinal))
        {
            _tally.Stray(BoundTo);
        }

        foreach (var line in headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
        {
            if (line.StartsWith(RouteCookie + "=", StringComparison.Ordinal) && line.Contains(AppsOwn, StringComparison.OrdinalIgnoreCase))
            {
                Bindings++;

                // n1, token.n1 or n1|token, whatever the balancer reads.
                var value = line[(RouteCookie.Length + 1)..].Split(';')[0];
                BoundTo = value.Length == 0 ? null : value[(value.LastIndexOf('.') + 1)..].Split('|')[0];
            }
        }
    }

    private readonly record struct Answer(bool Succeeded)
    {
        public JsonElement? Body { get; init; }

        public string What { get; init; } = "";

        /// <summary>Nothing was sent.</summary>
        public bool WasRefused { get; init; }
    }
}
