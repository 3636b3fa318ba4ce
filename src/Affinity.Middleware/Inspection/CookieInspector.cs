using Affinity.Stickiness;
using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>
/// Tells what a visitor's cookies are, whether they count, and why not. From memory: it asks no store and no key vault, and logs nothing. The endpoint and the offline tool are the same to it.
/// </summary>
/// <param name="scope">What cookies ought to be.</param>
/// <param name="keys">What verifies them.</param>
/// <param name="sections">What opens what tickets carry.</param>
/// <param name="dialect">What reads the route cookie.</param>
/// <param name="targets">The nodes that live, this one first; null: nobody knows.</param>
/// <param name="time">The clock.</param>
internal sealed class CookieInspector(
    InspectionScope scope, ISigningKeys keys, SectionInspector sections, IAffinityDialect dialect, Func<IReadOnlyList<RouteTarget>>? targets, TimeProvider time)
{
    private readonly SignedInspector _signed = new(scope, keys, time);

    /// <param name="input">What to look at.</param>
    /// <param name="showValues">Whether values of the session may stand in the report.</param>
    public InspectionReport Inspect(InspectionInput input, bool showValues)
    {
        List<string> notes = [];
        List<InspectedCookie> cookies = input.Value is { } value
            ? [EnvelopeHeader.TryRead(value, out var header) && header.Kind == BindingCodec.Kind ? Binding(value, name: null) : Ticket(TicketText.Alone(value), name: null, showValues)]
            : [.. Tickets(input, showValues, notes), .. Bindings(input, notes), .. Routes(input, notes)];
        if (cookies.Count == 0)
        {
            notes.Add($"There is no cookie named {string.Join(", ", scope.TicketNames.Concat(scope.BindingNames))} or {scope.RouteName}; {input.CountCookies()} of other names were not looked at. Names are compared with their case.");
        }

        var valid = cookies.Count > 0 && cookies.GroupBy(cookie => cookie.Is, StringComparer.Ordinal).All(kind => kind.Any(cookie => cookie.Valid));
        return new InspectionReport(time.GetUtcNow(), scope.Application, valid, cookies, notes);
    }

    private List<InspectedCookie> Tickets(InspectionInput input, bool showValues, List<string> notes)
    {
        List<InspectedCookie> tickets = [.. scope.TicketNames.SelectMany(name => TicketsOf(input, name, showValues, notes))];
        return tickets.Count > 0 ? tickets : [.. scope.OtherTicketNames.SelectMany(name => TextsOf(input, name, notes).Select(text => Ticket(text, scope.TicketNames[0], showValues) with { Name = name }))];
    }

    private List<InspectedCookie> TicketsOf(InspectionInput input, string name, bool showValues, List<string> notes)
    {
        List<InspectedCookie> tickets = [.. TextsOf(input, name, notes).Select(text => Ticket(text, name, showValues))];
        return tickets.Count(IsTaken) > 1 ? [.. tickets.Select(ticket => IsTaken(ticket) ? Refuse(ticket, InspectionVerdicts.Ambiguous) : ticket)] : tickets;
    }

    /// <summary>Whether the pipeline takes it as a ticket, whatever it does with the session then.</summary>
    private static bool IsTaken(InspectedCookie ticket) => ticket.CountedAs is TicketReasons.Valid or TicketReasons.IssuedAhead;

    private static IReadOnlyList<TicketText> TextsOf(InspectionInput input, string name, List<string> notes)
    {
        TellOfMore(input.ValuesOf(name), name, notes);
        var texts = TicketText.Of(input.Lines, name);
        var spread = texts.Count == 0 ? TicketChunks.Max : texts.Max(text => text.SpreadOver);
        notes.AddRange(Enumerable.Range(spread + 1, TicketChunks.Max - spread).Select(number => TicketChunks.NameOf(name, number)).Where(left => input.ValuesOf(left).Count > 0)
            .Select(left => $"The cookie {left} is left over from a longer ticket and ignored; the next response that writes the ticket removes it."));
        return texts;
    }

    private List<InspectedCookie> Bindings(InspectionInput input, List<string> notes)
    {
        List<InspectedCookie> bindings = [.. scope.BindingNames.SelectMany(name => Values(input, name, notes).Select(text => Binding(text, name)))];
        return bindings.Count > 0 ? bindings : [.. scope.OtherBindingNames.SelectMany(name => Values(input, name, notes).Select(text => Binding(text, scope.BindingNames[0]) with { Name = name }))];
    }

    private List<InspectedCookie> Routes(InspectionInput input, List<string> notes) => [.. Values(input, scope.RouteName, notes).Select(Route)];

    /// <summary>The different values of a cookie that the pipeline would look at.</summary>
    private static List<string> Values(InspectionInput input, string name, List<string> notes)
    {
        var values = input.ValuesOf(name);
        TellOfMore(values, name, notes);
        List<string> texts = [];
        for (var i = 0; i < values.Count; i++)
        {
            texts.Add(values[i].ToString());
        }

        return texts;
    }

    private static void TellOfMore(in CookieValues values, string name, List<string> notes)
    {
        if (values.More)
        {
            notes.Add($"There are more than {CookieValues.Max} different values of {name}; the others are not looked at. A browser of good will sends one.");
        }
    }

    private InspectedCookie Ticket(TicketText text, string? name, bool showValues)
    {
        var inspection = _signed.Ticket(text.Text, name, text.Fault);
        var ticket = inspection.Ticket is { } genuine ? Describe(genuine, isOurs: inspection.MadeFor is null, showValues) : null;
        if (inspection is { Verdict: InspectionVerdicts.Valid, Ticket: { } read })
        {
            inspection = inspection with { Verdict = VerdictOf(read, ticket!) };
        }

        return Signed("ticket", text.Text, inspection) with
        {
            SpreadOver = text.SpreadOver,
            CountedAs = inspection.Reason,
            Ticket = ticket,
            Notes = [.. NotesOf(inspection), .. inspection is { Verdict: InspectionVerdicts.Valid, Ticket: { } valid } ? NotesOf(valid) : [], .. NotesOf(text, inspection)],
        };
    }

    private string VerdictOf(Ticket ticket, InspectedTicket inspected) =>
        sections.IsCarriedElsewhere(ticket) ? InspectionVerdicts.OtherCarrier
        : inspected.Content?.State is SectionInspector.Damaged ? InspectionVerdicts.DamagedContent
        : inspected.Journal?.State is SectionInspector.Damaged ? InspectionVerdicts.DamagedJournal
        : InspectionVerdicts.Valid;

    private InspectedCookie Binding(string text, string? name)
    {
        var inspection = _signed.Binding(text, name);
        return Signed("binding", text, inspection) with
        {
            Binding = inspection.Binding is { } binding ? new(binding.Node.Value, Lives(binding.Node), binding.Until, binding.Track, binding.TrackUntil, binding.Repairs) : null,
            Notes = [.. NotesOf(inspection)],
        };
    }

    private InspectedCookie Signed(string what, string text, SignedInspection inspection)
    {
        var known = EnvelopeHeader.TryRead(text, out var header);
        var (why, todo) = string.Equals(inspection.Verdict, InspectionVerdicts.UnknownKey, StringComparison.Ordinal)
            ? InspectionKeys.Unknown(keys, header.Key, time.GetUtcNow())
            : InspectionWords.Of(inspection.Verdict, text);
        var isGenuine = inspection is { Ticket: not null } or { Binding: not null } || inspection.Verdict is InspectionVerdicts.BadBody or InspectionVerdicts.WrongKind;
        return new(what, inspection.Name, text.Length, inspection.Verdict, inspection.Verdict is InspectionVerdicts.Valid, why, todo)
        {
            Envelope = known ? new(isGenuine, header.Version, KindOf(header.Kind), header.Key.ToString(), InspectionKeys.Describe(keys, header.Key, time.GetUtcNow())) : null,
        };
    }

    private InspectedTicket Describe(Ticket ticket, bool isOurs, bool showValues) =>
        new(ticket.Session.ToFingerprint(), ticket.Issued, time.GetUtcNow() - ticket.Issued, ticket.IdleUntil, ticket.Expires, ticket.Version.ToString(), ticket.Generation)
        {
            Content = sections.Content(ticket, isOurs, showValues),
            Journal = sections.Journal(ticket, isOurs, showValues),
        };

    private InspectedCookie Route(string value)
    {
        var live = targets?.Invoke();
        var node = NodeOf(value, live ?? []);
        var (why, todo) = node is null ? WhyUnrecognised(live is not null)
            : Lives(node.Value) is false ? ("It names a node that does not live, as far as this node knows.", "Nothing: the next response binds the visitor to another one.")
            : ("It names a node. It is not signed: any node can serve any request.", null);
        return new("route", scope.RouteName, value.Length, node is null ? InspectionVerdicts.Unrecognised : InspectionVerdicts.Named, Valid: node is not null, why, todo)
        {
            Route = new(node?.Value, node is { } named ? Lives(named) : null),
        };
    }

    private Nodes.NodeId? NodeOf(string value, IReadOnlyList<RouteTarget> live)
    {
        try
        {
            return value.Length <= IAffinityDialect.MaxValueLength && dialect.Read(value, live) is { Kind: RouteReadingKind.Named } reading ? reading.Node : null;
        }
        catch (Exception)
        {
            // The app's own dialect, on what a client has sent: a request takes that for a foreign value.
            return null;
        }
    }

    private (string Why, string? Do) WhyUnrecognised(bool nodesAreKnown) =>
        !dialect.Steers ? ("Values of this dialect name no node: the balancer alone knows what they mean.", "Nothing.")
        : dialect.NeedsAddress && !nodesAreKnown ? ("Values of this dialect hold an address, and only a node knows whose it is.", "Ask a node: GET /affinity/inspect.")
        : ("It names no node in the dialect that is set here.", "Compare Affinity:Stickiness:Dialect and CookieName with the balancer's configuration (docs/balancers.md). The next response replaces it.");

    private bool? Lives(Nodes.NodeId node) => targets?.Invoke().Any(target => target.Node == node);

    private static InspectedCookie Refuse(InspectedCookie cookie, string verdict)
    {
        var (why, todo) = InspectionWords.Of(verdict, "");
        return cookie with { Verdict = verdict, CountedAs = verdict, Valid = false, Why = why, Do = todo, Notes = [] };
    }

    private static IEnumerable<string> NotesOf(SignedInspection inspection) => inspection.MadeFor is { } madeFor ? [madeFor] : [];

    private static IEnumerable<string> NotesOf(TicketText text, SignedInspection inspection) => text.SpreadOver > 1 && inspection.Verdict is InspectionVerdicts.BadMac
        ? [$"It was put together out of {text.SpreadOver} cookies. Parts of two responses, as of parallel requests, never verify together. {InspectionWords.OneCookie}"]
        : [];

    private IEnumerable<string> NotesOf(Ticket ticket)
    {
        var now = time.GetUtcNow();
        if (ticket.Issued - now > TicketCodec.ClockTolerance)
        {
            yield return "It is dated more than 5 minutes ahead: the clock of this node or of the one that issued it is wrong. It counts all the same.";
        }

        yield return ticket.Content is not null ? "It holds the session itself, so the session lives as long as it counts; whether it is the newest one it does not tell."
            : ticket.IdleUntil <= now
            ? "The session's idle time has run out as of the save that issued this ticket. If the visitor has been here since, the store knows better: reading slides it there and not here."
            : "Whether the session still lives only the store says, which was not asked.";
    }

    private static string KindOf(byte kind) => kind switch
    {
        TicketCodec.Kind => "session",
        BindingCodec.Kind => "binding",
        _ => kind.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
