namespace Affinity.Tickets;

/// <summary>
/// The words of <see cref="TicketReading.Reason"/>, and with that the values of the metric's tag; other signed cookies share them. Never renamed.
/// </summary>
internal static class TicketReasons
{
    public const string None = "none";
    public const string Valid = "valid";

    /// <summary>Not base64url in its one canonical form.</summary>
    public const string BadText = "bad_text";

    /// <summary>Longer than any, or too short for one.</summary>
    public const string BadLength = "bad_length";

    /// <summary>A format that this release does not know.</summary>
    public const string BadVersion = "bad_version";

    /// <summary>Signed with a key that is not ours, or that is too old.</summary>
    public const string UnknownKey = "unknown_key";

    /// <summary>Damaged, forged, made for another application or cookie, or put together of the parts of two tickets.</summary>
    public const string BadMac = "bad_mac";

    /// <summary>Genuine, but made for something else: not a session, or not a binding.</summary>
    public const string BadKind = "bad_kind";

    /// <summary>Genuine, but with parts or values that this release does not know.</summary>
    public const string BadBody = "bad_body";

    /// <summary>The first of several cookies says that there are so many as a ticket never has, or says it in another form.</summary>
    public const string ChunkCount = "chunk_count";

    /// <summary>One of the several cookies of a ticket is not there, or the first one is not.</summary>
    public const string ChunkMissing = "chunk_missing";

    /// <summary>One of the several cookies of a ticket came twice, with different values.</summary>
    public const string ChunkAmbiguous = "chunk_ambiguous";

    public const string Expired = "expired";

    /// <summary>Valid, but issued in the future by more than clocks may differ: the clock of this node or of the issuer is wrong.</summary>
    public const string IssuedAhead = "issued_ahead";

    /// <summary>Two genuine tickets that differ.</summary>
    public const string Ambiguous = "ambiguous";

    /// <summary>More different cookies of our name than are looked at.</summary>
    public const string TooMany = "too_many";

    /// <summary>The signing keys could not be read: no judgement.</summary>
    public const string KeysUnreachable = "keys_unreachable";
}
