using System.Globalization;
using System.Text;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends.Standby;

/// <summary>The order as one store has it.</summary>
/// <param name="Order">Which.</param>
/// <param name="Age">How long ago it was written there, by the store's own clock.</param>
/// <param name="Version">Of the record; None: there is none.</param>
internal readonly record struct StandbyReading(StandbyOrder Order, TimeSpan Age, SessionVersion Version);

/// <summary>
/// The order in one store: a record among the sessions, under a name that no session has. So every store that keeps sessions keeps it, with the same compare-and-set, and tells by the time that is left to it how long ago it was written.
/// </summary>
internal sealed class StandbyLedger(ISessionStore store)
{
    /// <summary>How long an order is kept; where there never was one, that is as old as this.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(10 * 365);
    private static readonly TimeSpan Most = TimeSpan.FromDays(90 * 365);

    private static readonly SessionKey Key = SessionKey.TryParse("affinity-standby-order---------------------", out var key) ? key : throw new InvalidOperationException("The name is not one.");

    /// <exception cref="SessionStoreException">The store failed.</exception>
    public async ValueTask<StandbyReading> ReadAsync(CancellationToken cancellationToken)
    {
        var read = await store.ReadLatestAsync(Key, SessionVersion.None, cancellationToken);
        return read.Session is { } record
            ? new StandbyReading(Parse(record.Payload.Span), Kept - record.Remaining, record.Version)
            : new StandbyReading(default, Kept, SessionVersion.None);
    }

    /// <summary>Whether the order is written; false: somebody was faster.</summary>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    public async ValueTask<bool> TryWriteAsync(StandbyOrder order, StandbyReading over, CancellationToken cancellationToken)
    {
        var write = new SessionWrite(over.Version, over.Version.Next(), 0, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"1 {order.Epoch} {order.Site}")), Kept, Most);
        return (await store.WriteAsync(Key, write, cancellationToken)).Kind is SessionWriteKind.Written or SessionWriteKind.Superseded;
    }

    private static StandbyOrder Parse(ReadOnlySpan<byte> payload) =>
        Encoding.ASCII.GetString(payload).Split(' ') is ["1", var epoch, var site]
        && long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && Enum.TryParse<StandbySite>(site, out var to)
            ? new StandbyOrder(number, to)
            : throw new SessionStoreException(SessionStoreFault.Unreadable, "The order of which store to use is damaged or was written by a newer version.");
}
