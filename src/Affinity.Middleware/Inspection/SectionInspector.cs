using System.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>Tells what a ticket carries, a journal or the session itself, as far as the keys that are known here open it.</summary>
/// <param name="seal">Null: there are no Data Protection keys.</param>
/// <param name="sessions">What the app has set; null: nobody knows.</param>
internal sealed class SectionInspector(TicketSeal? seal, SessionsOptions? sessions)
{
    public const string Damaged = "damaged";

    private const string Opened = "opened";
    private const string NotOpened = "not_opened";
    private const string UnknownKey = "unknown_key";

    private const string OfOthers = "It is not opened: it was made for that application and cookie.";
    private const string NoKeys = "It is encrypted with the app's Data Protection keys, which were not given.";

    /// <summary>Whether the app looks for sessions where this ticket has its own.</summary>
    public bool IsCarriedElsewhere(Ticket ticket) => sessions is not null && ticket.Content is null != (sessions.Carrier == SessionCarrier.Store);

    /// <param name="ticket">A genuine ticket.</param>
    /// <param name="isOurs">Whether it is one of this application and cookie.</param>
    /// <param name="showValues">Whether values may be told.</param>
    public InspectedJournal? Journal(Ticket ticket, bool isOurs, bool showValues)
    {
        if (ticket.Journal is not { } bytes)
        {
            return null;
        }

        if (!isOurs || seal is null)
        {
            return new(bytes.Length, NotOpened, isOurs ? NoKeys : OfOthers, Entries: null);
        }

        var opening = seal.OpenWithKnownKeys(TicketSection.Journal, ticket.Session, bytes);
        return opening.Kind switch
        {
            SealKind.Opened => Decode(opening.Content!, bytes.Length, showValues),
            SealKind.Unreachable => new(bytes.Length, UnknownKey, WhyUnknown, Entries: null),
            SealKind.Damaged => new(bytes.Length, Damaged, WhyDamaged, Entries: null),
            _ => throw new UnreachableException(),
        };
    }

    /// <inheritdoc cref="Journal"/>
    public InspectedContent? Content(Ticket ticket, bool isOurs, bool showValues)
    {
        if (ticket.Content is not { } bytes)
        {
            return null;
        }

        var form = CookieContent.FormOf(bytes);
        if (!isOurs || (seal is null && form == ContentForm.Sealed))
        {
            return new(bytes.Length, WordOf(form), NotOpened, isOurs ? NoKeys : OfOthers, Items: null);
        }

        // A node takes what is readable only when it is told to; the offline tool does not know.
        var opening = form == ContentForm.Sealed ? CookieContent.Of(seal!.OpenWithKnownKeys(TicketSection.Content, ticket.Session, bytes[1..]))
            : sessions?.Cookie.Protection == ContentProtection.SignAndEncrypt ? ContentOpening.Of(ContentKind.Damaged)
            : CookieContent.OfReadable(bytes, (sessions ?? new SessionsOptions()).MaxBytes);
        return opening.Kind switch
        {
            ContentKind.Opened => new(bytes.Length, WordOf(form), Opened, Why: null, [.. opening.Items.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => Item(item.Key, item.Value, showValues))]),
            ContentKind.Unopened => new(bytes.Length, WordOf(form), UnknownKey, WhyUnknown, Items: null),
            ContentKind.Damaged => new(bytes.Length, WordOf(form), Damaged, form == ContentForm.Sealed ? WhyDamaged
                : "It is not encrypted, and Affinity:Sessions:Cookie:Protection asks for that; or it does not hold what a session holds.", Items: null),
            _ => throw new UnreachableException(),
        };
    }

    private static string WhyUnknown => "It is encrypted with a Data Protection key that is not known here or cannot be read. The pipeline looks for such a key once more; until it has it, the session is out of reach (503), and the ticket stays as it is.";

    private static string WhyDamaged => "Its Data Protection key is known, but does not open it: it was not sealed for this application, session and section, or the key was revoked.";

    private static InspectedJournal Decode(byte[] content, int sealedBytes, bool showValues) => SessionJournalCodec.TryDecode(content, out var journal) switch
    {
        JournalDecoding.Decoded => new(sealedBytes, Opened, Why: null, [.. journal.Entries.Select(entry => Entry(entry, showValues))]),
        JournalDecoding.Newer => new(sealedBytes, "newer", "A later release has written it; nodes of that release go on with it.", Entries: null),
        JournalDecoding.Damaged => new(sealedBytes, Damaged, "It opens, but does not hold what a journal holds.", Entries: null),
        _ => throw new UnreachableException(),
    };

    private static InspectedEntry Entry(JournalEntry entry, bool showValues) =>
        new(entry.Expected.ToString(), entry.Clears, entry.RaisesGeneration, entry.Joined.Count,
            [.. entry.Changes.OrderBy(change => change.Key, StringComparer.Ordinal).Select(change => Item(change.Key, change.Value, showValues))]);

    private static InspectedItem Item(string key, byte[]? value, bool showValues) =>
        new(key, value?.Length, value is null ? null : InspectedValue.LooksLike(value), value is not null && showValues ? InspectedValue.Show(value) : null);

    private static string WordOf(ContentForm form) => form switch
    {
        ContentForm.Sealed => "encrypted",
        ContentForm.Plain => "readable",
        ContentForm.Deflated => "compressed",
        _ => "unknown",
    };
}
