using System.Text.Json.Serialization;

namespace Affinity.Inspection;

/// <summary>What the inspector has found out. It holds no cookie, no session id, no key, and values of a session only when they were asked for.</summary>
/// <param name="At">As of when it was judged.</param>
/// <param name="Application">For which application.</param>
/// <param name="Valid">Whether there is a cookie of ours, and of each kind that is there one counts.</param>
/// <param name="Cookies">What was found: tickets, then bindings, then routes, each different value once.</param>
/// <param name="Notes">What else is worth knowing.</param>
internal sealed record InspectionReport(DateTimeOffset At, string Application, bool Valid, IReadOnlyList<InspectedCookie> Cookies, IReadOnlyList<string> Notes);

/// <summary>One value of one cookie.</summary>
/// <param name="Is"><c>ticket</c>, <c>binding</c> or <c>route</c>.</param>
/// <param name="Name">The cookie's name, or the one that it was judged by.</param>
/// <param name="Length">How many characters its value has.</param>
/// <param name="Verdict">One of <see cref="InspectionVerdicts"/>.</param>
/// <param name="Valid">Whether it counts.</param>
/// <param name="Why">The reason in plain words.</param>
/// <param name="Do">What to do about it; null when there is nothing to be done.</param>
internal sealed record InspectedCookie(string Is, string Name, int Length, string Verdict, bool Valid, string Why, string? Do)
{
    /// <summary>How many cookies its value is spread over.</summary>
    public int SpreadOver { get; init; } = 1;

    /// <summary>What the metric <c>affinity.ticket.reads</c> counts it as; null for cookies that it does not count.</summary>
    public string? CountedAs { get; init; }

    /// <summary>What stands around the body; null when it cannot be read, and for a route.</summary>
    public InspectedEnvelope? Envelope { get; init; }

    /// <summary>What the ticket says, only when its signature is right.</summary>
    public InspectedTicket? Ticket { get; init; }

    /// <summary>What the binding says, only when its signature is right.</summary>
    public InspectedBinding? Binding { get; init; }

    /// <summary>What the route cookie says.</summary>
    public InspectedRoute? Route { get; init; }

    /// <summary>What else is worth knowing of it.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>What stands around the body of a signed cookie.</summary>
/// <param name="Signed">Whether the signature is right; if not, the rest is what somebody claims.</param>
/// <param name="Format">The format's version.</param>
/// <param name="Kind"><c>session</c>, <c>binding</c>, or a number.</param>
/// <param name="Key">The public name of the key.</param>
/// <param name="KeyIs">Which key that is; null when it is not known here.</param>
internal sealed record InspectedEnvelope(bool Signed, int Format, string Kind, string Key, string? KeyIs);

/// <summary>What a ticket says.</summary>
/// <param name="Session">The fingerprint of the session, as it stands in log lines; it opens nothing.</param>
/// <param name="Issued">When it was issued.</param>
/// <param name="Age">How long ago that was; negative when it lies ahead.</param>
/// <param name="IdleUntil">Until when the session lives if nobody uses it, as of the save that issued the ticket.</param>
/// <param name="Expires">When the ticket ends.</param>
/// <param name="Version">The version of the session that the visitor has seen: the store has it, or a later one.</param>
/// <param name="Generation">How often the visitor has signed in.</param>
internal sealed record InspectedTicket(string Session, DateTimeOffset Issued, TimeSpan Age, DateTimeOffset IdleUntil, DateTimeOffset Expires, string Version, int Generation)
{
    /// <summary>What the store could not be told; null when there is nothing.</summary>
    public InspectedJournal? Journal { get; init; }

    /// <summary>The session itself, where it rides in the ticket; null when it lies in the store.</summary>
    public InspectedContent? Content { get; init; }
}

/// <summary>The session itself.</summary>
/// <param name="Bytes">How many bytes it takes in the ticket.</param>
/// <param name="Form"><c>encrypted</c>, <c>readable</c>, <c>compressed</c> (and readable), or <c>unknown</c>.</param>
/// <param name="State">As of <see cref="InspectedJournal"/>.</param>
/// <param name="Why">What that means; null when it was opened.</param>
/// <param name="Items">What the session holds; null when it was not opened.</param>
internal sealed record InspectedContent(int Bytes, string Form, string State, string? Why, IReadOnlyList<InspectedItem>? Items);

/// <summary>What the store could not be told.</summary>
/// <param name="SealedBytes">How many bytes it takes in the ticket.</param>
/// <param name="State"><c>opened</c>, <c>not_opened</c>, <c>unknown_key</c>, <c>damaged</c> or <c>newer</c>.</param>
/// <param name="Why">What that means; null when it was opened.</param>
/// <param name="Entries">The saves, in their order; null when it was not opened.</param>
internal sealed record InspectedJournal(int SealedBytes, string State, string? Why, IReadOnlyList<InspectedEntry>? Entries);

/// <summary>One save.</summary>
/// <param name="On">The version that it was made on; <c>none</c>: the session begins with it.</param>
/// <param name="Clears">Whether everything there was is removed first.</param>
/// <param name="SignsIn">Whether it raises the generation.</param>
/// <param name="Joined">How many earlier saves were joined with it.</param>
/// <param name="Changes">What it sets and removes.</param>
internal sealed record InspectedEntry(string On, bool Clears, bool SignsIn, int Joined, IReadOnlyList<InspectedItem> Changes);

/// <summary>One key of a session.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Bytes">How long its value is; null: it is removed.</param>
/// <param name="LooksLike">A guess at what it is; null: it is removed.</param>
/// <param name="Value">The value, if it was asked for.</param>
internal sealed record InspectedItem(string Key, int? Bytes, string? LooksLike, string? Value);

/// <summary>What a signed binding says.</summary>
/// <param name="Node">The node.</param>
/// <param name="Lives">Whether this node knows it to live; null when nobody can tell.</param>
/// <param name="Until">Until when; null: until the browser closes.</param>
/// <param name="Track">The version of the app that the visitor stays on; null: none.</param>
/// <param name="TrackUntil">Until when they do.</param>
/// <param name="Repairs">How often the route cookie was corrected.</param>
internal sealed record InspectedBinding(string Node, bool? Lives, DateTimeOffset? Until, string? Track, DateTimeOffset? TrackUntil, int Repairs);

/// <summary>What a route cookie says.</summary>
/// <param name="Node">The node that it names; null: none.</param>
/// <param name="Lives">Whether this node knows it to live; null when nobody can tell.</param>
internal sealed record InspectedRoute(string? Node, bool? Lives);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(InspectionReport))]
internal sealed partial class InspectionJson : JsonSerializerContext;
