using Affinity.Tickets;

namespace Affinity.Stickiness;

/// <summary>What came of the binding cookies of a request.</summary>
internal enum BindingVerdict
{
    /// <summary>The visitor has none.</summary>
    None,

    /// <summary>There is a genuine one; whether its time has passed is for <see cref="StickinessRules"/> to say.</summary>
    Valid,

    /// <summary>Not ours, damaged, forged, or under a key that is too old: as if there were none, and a new one may replace it.</summary>
    Refused,

    /// <summary>It could not be verified through a fault of ours (the keys could not be read): it must be neither replaced nor removed.</summary>
    Unverifiable,
}

/// <summary>The verdict on a request's binding cookies.</summary>
/// <param name="Verdict">What came of it.</param>
/// <param name="Reason">One of <see cref="TicketReasons"/>: why not, when it is refused.</param>
/// <param name="Binding">The binding when it is valid, else null.</param>
internal readonly record struct BindingReading(BindingVerdict Verdict, string Reason, Binding? Binding = null)
{
    public static BindingReading None => new(BindingVerdict.None, TicketReasons.None);

    public static BindingReading Unverifiable => new(BindingVerdict.Unverifiable, TicketReasons.KeysUnreachable);

    public static BindingReading Valid(Binding binding) => new(BindingVerdict.Valid, TicketReasons.Valid, binding);

    public static BindingReading Refused(string reason) => new(BindingVerdict.Refused, reason);
}
