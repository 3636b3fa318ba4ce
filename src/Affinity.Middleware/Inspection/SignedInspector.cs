using Affinity.Stickiness;
using Affinity.Tickets;

namespace Affinity.Inspection;

/// <summary>What a text turned out to be that ought to be a signed cookie.</summary>
/// <param name="Verdict">One of <see cref="InspectionVerdicts"/>.</param>
/// <param name="Reason">The word of <see cref="TicketReasons"/> that the pipeline has for it.</param>
/// <param name="Name">The name of the cookie that it is judged by.</param>
/// <param name="Ticket">The ticket, when it is a genuine one, if only for another cookie or application.</param>
/// <param name="Binding">The binding, likewise.</param>
/// <param name="MadeFor">For which application, cookie and kind it was made when that is not what it should be; null: nobody knows, or it is.</param>
internal sealed record SignedInspection(string Verdict, string Reason, string Name, Ticket? Ticket = null, Binding? Binding = null, string? MadeFor = null);

/// <summary>Judges texts that ought to be signed cookies as the pipeline does, and where its answer is no, finds out what else they could be. Asks nobody for keys.</summary>
internal sealed class SignedInspector(InspectionScope scope, ISigningKeys keys, TimeProvider time)
{
    /// <param name="text">Any text.</param>
    /// <param name="name">The cookie's name; null: any of those that count.</param>
    /// <param name="fault">Why it is refused before anybody decodes it, in the words of <see cref="TicketReasons"/>; null: nothing is wrong yet.</param>
    public SignedInspection Ticket(string text, string? name, string? fault)
    {
        if (fault is not null)
        {
            return new SignedInspection(VerdictOf(fault, text), fault, name ?? scope.TicketNames[0]);
        }

        SignedInspection? first = null;
        foreach (var candidate in name is null ? scope.TicketNames : [name])
        {
            var decoding = new TicketCodec(scope.Application, candidate, time).DecodeWhenever(text, keys);
            if (decoding.Ticket is { } ticket)
            {
                return AsOfNow(ticket, candidate);
            }

            first ??= new SignedInspection(VerdictOf(decoding.Reason, text), decoding.Reason, candidate);
        }

        return Explain(first!, text, isTicket: true);
    }

    /// <summary>The same for a binding.</summary>
    public SignedInspection Binding(string text, string? name)
    {
        SignedInspection? first = null;
        foreach (var candidate in name is null ? scope.BindingNames : [name])
        {
            var decoding = new BindingCodec(scope.Application, candidate).Decode(text, keys);
            if (decoding.Binding is { } binding)
            {
                var hasEnded = binding.End <= time.GetUtcNow();
                return new SignedInspection(hasEnded ? InspectionVerdicts.Expired : InspectionVerdicts.Valid, decoding.Reason, candidate, Binding: binding);
            }

            first ??= new SignedInspection(VerdictOf(decoding.Reason, text), decoding.Reason, candidate);
        }

        return Explain(first!, text, isTicket: false);
    }

    private SignedInspection AsOfNow(Ticket ticket, string name)
    {
        var now = time.GetUtcNow();
        return ticket.Expires <= now ? new(InspectionVerdicts.Expired, TicketReasons.Expired, name, ticket)
            : ticket.Content is not null && ticket.IdleUntil <= now ? new(InspectionVerdicts.IdleExpired, TicketReasons.Valid, name, ticket)
            : new(InspectionVerdicts.Valid, ticket.Issued - now > TicketCodec.ClockTolerance ? TicketReasons.IssuedAhead : TicketReasons.Valid, name, ticket);
    }

    private static string VerdictOf(string reason, string text) => reason switch
    {
        TicketReasons.BadLength => text.Length < SignedEnvelope.TextLength(bodySize: 1) ? InspectionVerdicts.TooShort : InspectionVerdicts.TooLong,
        TicketReasons.BadKind => InspectionVerdicts.WrongKind,
        _ => reason,
    };

    /// <summary>A signature tells only whether it is right for what was tried; so, when it is not right for what should be, the other things that are known are tried.</summary>
    private SignedInspection Explain(SignedInspection refused, string text, bool isTicket)
    {
        // A ticket is too long for a binding's cookie.
        if (refused.Verdict is not (InspectionVerdicts.BadMac or InspectionVerdicts.TooLong))
        {
            return refused;
        }

        foreach (var application in scope.AllApplications)
        {
            foreach (var name in scope.AllTicketNames.Append(refused.Name).Distinct(StringComparer.Ordinal))
            {
                if (new TicketCodec(application, name, time).DecodeWhenever(text, keys).Ticket is { } ticket)
                {
                    return Found(refused with { Ticket = ticket }, application, name, isOther: !isTicket, "ticket");
                }
            }

            foreach (var name in scope.AllBindingNames.Append(refused.Name).Distinct(StringComparer.Ordinal))
            {
                if (new BindingCodec(application, name).Decode(text, keys).Binding is { } binding)
                {
                    return Found(refused with { Binding = binding }, application, name, isOther: isTicket, "binding");
                }
            }
        }

        return refused;
    }

    private SignedInspection Found(SignedInspection refused, string application, string name, bool isOther, string kind)
    {
        var verdict = !string.Equals(application, scope.Application, StringComparison.Ordinal) ? InspectionVerdicts.OtherApplication
            : isOther ? InspectionVerdicts.WrongKind
            : InspectionVerdicts.OtherCookieName;
        return refused with { Verdict = verdict, MadeFor = $"It was made by the application {application} as a {kind} in the cookie {name}." };
    }
}
