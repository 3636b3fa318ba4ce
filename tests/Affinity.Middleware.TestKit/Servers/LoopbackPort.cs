using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Affinity.TestKit;

/// <summary>Free TCP ports on 127.0.0.1, none handed out twice by one process.</summary>
/// <remarks>
/// They lie below the range from which the kernel takes the ports of outgoing connections. A port from that range, as binding to
/// port 0 gives, can be taken by any client while its server is down for a restart; worse, a client that dials such a closed port
/// on loopback now and then connects to itself.
/// </remarks>
public static class LoopbackPort
{
    // Above everything that Chromium blocks as unsafe (the highest is 10080).
    private const int Lowest = 12000;

    private static readonly Lock Gate = new();
    private static readonly HashSet<int> HandedOut = [];
    private static readonly int End = FirstOutgoingPort();

    /// <summary>A port on which nobody listens, and which this process has not handed out before.</summary>
    public static int Next()
    {
        lock (Gate)
        {
            for (var attempt = 0; attempt < 10_000; attempt++)
            {
                // Random, because other test processes look for ports at the same time.
                var port = End > Lowest + 1000 ? Random.Shared.Next(Lowest, End) : 0;
                if (TryListen(ref port) && HandedOut.Add(port))
                {
                    return port;
                }
            }
        }

        throw new InvalidOperationException("No free port on 127.0.0.1 was found in 10,000 attempts.");
    }

    private static bool TryListen(ref int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen();
            port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FirstOutgoingPort()
    {
        const string Setting = "/proc/sys/net/ipv4/ip_local_port_range";
        return File.Exists(Setting)
            ? int.Parse(File.ReadAllText(Setting).Split('\t', ' ')[0], CultureInfo.InvariantCulture)
            : 0;
    }
}
