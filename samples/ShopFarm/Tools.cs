using System.Net;
using System.Net.Sockets;
using System.Reflection;

namespace ShopFarm;

/// <summary>What the farm finds on this machine.</summary>
internal static class Tools
{
    private static readonly HashSet<int> Given = [];

    public static string Repository => Metadata(nameof(Repository));

    public static string ShopSample => Metadata(nameof(ShopSample));

    /// <summary>The full path of a program; also where Debian puts servers, which is not on everybody's PATH.</summary>
    public static string? OnPath(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}{Path.PathSeparator}/usr/sbin{Path.PathSeparator}/usr/local/sbin"
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program))
            .FirstOrDefault(File.Exists);

    /// <summary>
    /// A free port of the loopback address. Not one that the system hands out for outgoing connections: one of those could take a dead node's port before it is back.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            if (!Given.Add(port))
            {
                continue;
            }

            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }

    private static string Metadata(string key) =>
        Path.GetFullPath(typeof(Tools).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => string.Equals(a.Key, key, StringComparison.Ordinal)).Value!);
}
