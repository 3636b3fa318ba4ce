using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// Tells whether a client has come to a state that it never leaves: it takes a server for connected and has no connection to it, so it neither sends nor connects. The client 1.2 can come to that when a
/// connection is cut in the moment in which it is made; every call fails from then on, for as long as the process lives.
/// </summary>
internal static class RedisStuckClient
{
    private const int Looks = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Looks a few times within two seconds: a client that is about to connect passes through the same state.</summary>
    /// <param name="multiplexer">The client.</param>
    /// <param name="time">Paces the looks.</param>
    public static async Task<bool> IsStuckAsync(ConnectionMultiplexer multiplexer, TimeProvider time)
    {
        HashSet<string> stuck = [.. multiplexer.GetEndPoints().Select(server => server.ToString()!)];
        for (var look = 0; look < Looks && stuck.Count > 0; look++)
        {
            await Task.Delay(Pause, time);
            foreach (var server in multiplexer.GetEndPoints().Where(server => stuck.Contains(server.ToString()!)))
            {
                if (!await CannotSendAsync(multiplexer.GetServer(server), time))
                {
                    stuck.Remove(server.ToString()!);
                }
            }
        }

        return stuck.Count > 0;
    }

    private static async Task<bool> CannotSendAsync(IServer server, TimeProvider time)
    {
        if (!server.IsConnected)
        {
            return false;
        }

        try
        {
            await server.PingAsync().WaitAsync(Patience, time);
            return false;
        }
        catch (Exception exception)
        {
            // Whatever else goes wrong is not this.
            return RedisFaults.LacksConnection(exception) && server.IsConnected;
        }
    }
}
