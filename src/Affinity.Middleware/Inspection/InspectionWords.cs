using System.Buffers;
using System.Diagnostics;
using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>Why a signed cookie is refused and what to do about it, in plain words, as far as the verdict alone tells.</summary>
internal static class InspectionWords
{
    private const string CopyAgain = "Copy the value again, from the Cookie header of the request itself. If requests bring it like this, something on the way rewrites cookies: a proxy, a script, or code that sets them through an API that encodes.";

    /// <summary>What keeps cookies from being mixed.</summary>
    public const string OneCookie = "Up to 4,050 characters (Affinity:Ticket:MaxBytes) there is one cookie and nothing to be mixed.";

    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static (string Why, string? Do) Of(string verdict, string text) => verdict switch
    {
        InspectionVerdicts.Valid => ("It is signed by this application for this cookie, and its time has not run out.", null),
        InspectionVerdicts.BadText => (FaultOf(text), CopyAgain),
        InspectionVerdicts.TooLong => ("It is longer than any that is made here.", "It is not ours, or something was put behind it. " + CopyAgain),
        InspectionVerdicts.TooShort => ("It is shorter than any that is made here.", "It was cut off, or it is not ours. " + CopyAgain),
        InspectionVerdicts.BadVersion => ("It is of a format that this release does not know.", "A later release has made it, or it is not ours. During an upgrade nodes of both releases serve: finish it, or go back with all."),
        InspectionVerdicts.BadMac => ("It names a key that is known here, but its signature is not right: it was made for another application or under another cookie name, or it was altered. A signature does not tell which.",
            "Compare Affinity:Application (else the name of the entry assembly) and Affinity:Ticket:CookieName of all instances that share these keys. The offline tool can try names: --application, --cookie. If they agree, it was damaged on the way or somebody has forged it."),
        InspectionVerdicts.OtherApplication => ("It is genuine, but was made by another application that has the same keys.",
            "If it is the same app, give all its instances the same Affinity:Application. If it is another one on the same host, give the two different cookie names (Affinity:Ticket:CookieName), and secrets of their own."),
        InspectionVerdicts.OtherCookieName => ("It is genuine, but was made for a cookie of another name.",
            "Compare Affinity:Ticket:CookieName and Affinity:Ticket:InsecureAllowHttp of all instances. If they agree, the value was moved from one cookie to another, which browsers do not do by themselves."),
        InspectionVerdicts.WrongKind => ("It is genuine, but not of the kind that belongs into this cookie: a ticket in place of a binding, the reverse, or something that a later release makes.",
            "The value was moved from one cookie to another, which browsers do not do by themselves: somebody has tried something, or mixed up two lines."),
        InspectionVerdicts.BadBody => ("It is genuine, but holds parts or values that this release does not know.", "A later release has made it. During an upgrade nodes of both releases serve: finish it, or go back with all."),
        InspectionVerdicts.Expired => ("It is genuine, and its time has run out.", "Nothing: the visitor gets a new one. If it came too early, compare the clocks of the nodes."),
        InspectionVerdicts.IdleExpired => ("It is genuine and holds the session itself, whose idle time has run out.", "Nothing: the visitor begins anew. If it came too early, compare the clocks of the nodes, and Affinity:Sessions:IdleTimeout."),
        InspectionVerdicts.ChunkCount => ("The first of the cookies that it is spread over announces a number of them that no ticket has.", CopyAgain),
        InspectionVerdicts.ChunkMissing => ("It is spread over several cookies, and one of them is not there.",
            "Give the whole Cookie header. If requests come like this, a browser has dropped one, as some do when a site has very many, or a proxy has cut the header. " + OneCookie),
        InspectionVerdicts.ChunkAmbiguous => ("One of the cookies that it is spread over is there twice, with different values, and nobody can tell which belongs to it.",
            "Two cookies of one name differ in path or domain: look at what sets them, and delete the strange one in the browser. " + OneCookie),
        InspectionVerdicts.DamagedJournal => ("It is genuine, but the journal that it carries is damaged, so it is refused with it (event 4055).",
            "Look whether Data Protection keys were revoked, or whether instances have different ones (docs/operations.md, Data Protection keys)."),
        InspectionVerdicts.DamagedContent => ("It is genuine, but the session that it holds is damaged or less protected than it has to be, so the visitor begins anew (event 4060).",
            "Compare Affinity:Sessions:Cookie:Protection of all instances, and look whether Data Protection keys were revoked (docs/cookie-sessions.md)."),
        InspectionVerdicts.OtherCarrier => ("It is genuine, but the app does not look for the session there: the ticket holds it and the app keeps sessions in the store, or the reverse. The visitor begins anew.",
            "Nothing, when Affinity:Sessions:Carrier was changed. Else give all instances the same one."),
        InspectionVerdicts.Ambiguous => ("It is genuine, and so is another one of the same name in the same request that differs from it. Nobody can tell which is the visitor's, so both are refused.",
            "Somebody may have planted one. Two cookies of one name differ in path or domain: look at what sets them, and delete the strange one in the browser. Cookies with __Host- in their name cannot be doubled."),
        _ => throw new UnreachableException(),
    };

    /// <summary>What keeps a text from being the canonical base64url of anything.</summary>
    private static string FaultOf(string text)
    {
        var at = text.AsSpan().IndexOfAnyExcept(Letters);
        return "It is no base64url text: " + (at < 0 ? text.Length % 4 == 1 ? "no such text has this length, so a character is missing, or there is one too many."
                : "its last character has bits that stand for nothing, so it was cut off or changed."
            : text[at] switch
            {
                '%' => "it has a percent sign, so something has percent-encoded it.",
                '=' => "it has a '=': padding that we do not write, or it is not the value alone.",
                '+' or '/' => "it has a '+' or a '/', which are of base64 and not of base64url.",
                '"' or '\'' => "it has a quotation mark.",
                ',' => "it has a comma: a proxy or a script has joined two headers.",
                _ when char.IsWhiteSpace(text[at]) => "it has white space or a line break.",
                '…' or '.' => "it has dots, so it is perhaps an abbreviation out of a log.",
                _ => "it has a character that does not occur there.",
            });
    }
}
