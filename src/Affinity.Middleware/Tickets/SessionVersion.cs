using System.Diagnostics.CodeAnalysis;

namespace Affinity.Tickets;

/// <summary>
/// Which state of a session this is. The counter rises by one per write; the stamp is random per write, so that two histories that reach the
/// same counter (a fail-over that lost a write) are told apart, and so that a retried write recognises its own first try.
/// <see cref="None"/> stands before the first write.
/// </summary>
/// <param name="Counter">1, 2, 3 …; 0 for none.</param>
/// <param name="Stamp">Random, never 0; 0 for none.</param>
public readonly record struct SessionVersion(ulong Counter, ulong Stamp)
{
    /// <summary>Before the first write.</summary>
    public static SessionVersion None => default;

    /// <summary>Whether nothing has been written yet.</summary>
    public bool IsNone => Counter == 0;

    /// <summary>The version of the write that follows this one.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "Tells two writes apart; nothing secret hangs on it.")]
    public SessionVersion Next()
    {
        ulong stamp;
        do
        {
            stamp = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        }
        while (stamp == 0);
        return new SessionVersion(checked(Counter + 1), stamp);
    }

    /// <summary>For people: the counter and the first four hexadecimal digits of the stamp, <c>7.3fa9</c>.</summary>
    public override string ToString() => IsNone ? "none" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Counter}.{Stamp >> 48:x4}");
}
