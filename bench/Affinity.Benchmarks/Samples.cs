using System.Diagnostics.Metrics;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Benchmarks;

/// <summary>What the benchmarks work on.</summary>
internal static class Samples
{
    public static SecretSigningKeys Keys { get; } = new([Convert.ToBase64String([.. Enumerable.Range(1, 32).Select(i => (byte)i)])], TimeProvider.System);

    public static AffinityMetrics Metrics { get; } = new(new Meters());

    /// <summary>Eight items of the same size.</summary>
    public static Dictionary<string, byte[]> Items(int bytes) => Enumerable.Range(0, 8).ToDictionary(i => "item-" + i, _ => new byte[bytes / 8], StringComparer.Ordinal);

    public static Ticket Ticket(SessionId session, SessionSnapshot snapshot) => new(session, snapshot.Version, snapshot.Generation, DateTimeOffset.UtcNow, snapshot.IdleUntil, snapshot.Expires);

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
