namespace Affinity.TestKit;

/// <summary>
/// The connections of all visitors: a new one per request, because the pool of the framework's client silently repeats a request
/// that was lost on a reused connection, and that is the fault that tests look for.
/// </summary>
internal static class VisitorConnections
{
    public static HttpClient Client { get; } = new(new SocketsHttpHandler
    {
        UseCookies = false,
        UseProxy = false,
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        ActivityHeadersPropagator = null,
    })
    {
        // Each request has its own limit.
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
