using System.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>Tells what a ticket's journal holds, as far as the keys that are known here open it.</summary>
/// <param name="seal">Null: there are no Data Protection keys.</param>
internal sealed class JournalInspector(TicketSeal? seal)
{
    public const string Damaged = "damaged";

    private const string NotOpened = "not_opened";

    /// <summary>The journal of a ticket of another application or cookie.</summary>
    public static InspectedJournal Leave(byte[] sealedBytes) =>
        new(sealedBytes.Length, NotOpened, "It is encrypted for that application.", Entries: null);

    public InspectedJournal Inspect(Ticket ticket, byte[] sealedBytes, bool showValues)
    {
        if (seal is null)
        {
            return new(sealedBytes.Length, NotOpened, "It is encrypted with the app's Data Protection keys, which were not given.", Entries: null);
        }

        var opening = seal.OpenWithKnownKeys(TicketSection.Journal, ticket.Session, sealedBytes);
        return opening.Kind switch
        {
            SealKind.Opened => Decode(opening.Content!, sealedBytes.Length, showValues),
            SealKind.Unreachable => new(sealedBytes.Length, "unknown_key",
                "It is encrypted with a Data Protection key that is not known here or cannot be read. The pipeline reads the store's ring again when it meets one; until then the session is out of reach (503), and the ticket stays as it is.", Entries: null),
            SealKind.Damaged => new(sealedBytes.Length, Damaged,
                "Its Data Protection key is known, but does not open it: it was not sealed for this application and session, or the key was revoked. The ticket is refused.", Entries: null),
            _ => throw new UnreachableException(),
        };
    }

    private static InspectedJournal Decode(byte[] content, int sealedBytes, bool showValues) => SessionJournalCodec.TryDecode(content, out var journal) switch
    {
        JournalDecoding.Decoded => new(sealedBytes, "opened", Why: null, [.. journal.Entries.Select(entry => Entry(entry, showValues))]),
        JournalDecoding.Newer => new(sealedBytes, "newer", "A later release has written it; nodes of that release go on with it.", Entries: null),
        JournalDecoding.Damaged => new(sealedBytes, Damaged, "It opens, but does not hold what a journal holds. The ticket is refused.", Entries: null),
        _ => throw new UnreachableException(),
    };

    private static InspectedEntry Entry(JournalEntry entry, bool showValues) =>
        new(entry.Expected.ToString(), entry.Clears, entry.RaisesGeneration,
            [.. entry.Changes.OrderBy(change => change.Key, StringComparer.Ordinal).Select(change => Item(change.Key, change.Value, showValues))]);

    private static InspectedItem Item(string key, byte[]? value, bool showValues) =>
        new(key, value?.Length, value is null ? null : InspectedValue.LooksLike(value), value is not null && showValues ? InspectedValue.Show(value) : null);
}
