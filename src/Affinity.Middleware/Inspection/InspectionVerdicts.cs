using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>
/// The words of <see cref="InspectedCookie.Verdict"/>. Where the pipeline has one for it, it is the same (<see cref="TicketReasons"/>); the others tell apart what is one to the pipeline. Never renamed.
/// </summary>
internal static class InspectionVerdicts
{
    public const string Valid = TicketReasons.Valid;

    /// <summary>Longer than any.</summary>
    public const string TooLong = "too_long";

    /// <summary>Shorter than any.</summary>
    public const string TooShort = "too_short";

    public const string BadText = TicketReasons.BadText;
    public const string BadVersion = TicketReasons.BadVersion;
    public const string UnknownKey = TicketReasons.UnknownKey;

    /// <summary>By a key of ours, or so it says, and nothing that was tried makes the signature right.</summary>
    public const string BadMac = TicketReasons.BadMac;

    /// <summary>Genuine, of another application that was tried.</summary>
    public const string OtherApplication = "other_application";

    /// <summary>Genuine, of another cookie's name that was tried.</summary>
    public const string OtherCookieName = "other_cookie_name";

    /// <summary>Genuine, a ticket in place of a binding or the reverse.</summary>
    public const string WrongKind = "wrong_kind";

    public const string BadBody = TicketReasons.BadBody;
    public const string Expired = TicketReasons.Expired;

    /// <summary>Genuine, and the idle time of the session that it holds has run out.</summary>
    public const string IdleExpired = "idle_expired";

    public const string ChunkCount = TicketReasons.ChunkCount;
    public const string ChunkMissing = TicketReasons.ChunkMissing;
    public const string ChunkAmbiguous = TicketReasons.ChunkAmbiguous;
    /// <summary>Genuine, but what it carries does not open with its key, or holds what we do not write.</summary>
    public const string DamagedJournal = "damaged_journal";

    /// <summary>The same of the session itself, or it is less protected than it has to be.</summary>
    public const string DamagedContent = "damaged_content";

    /// <summary>Genuine, but of a time when the app kept its sessions elsewhere.</summary>
    public const string OtherCarrier = "other_carrier";

    public const string Ambiguous = TicketReasons.Ambiguous;

    /// <summary>A route cookie that names a node.</summary>
    public const string Named = "named";

    /// <summary>A route cookie that names none.</summary>
    public const string Unrecognised = "unrecognised";
}
