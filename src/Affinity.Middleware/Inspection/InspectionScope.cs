namespace Affinity.Inspection;

/// <summary>What cookies ought to be, and what else they could be.</summary>
/// <param name="Application">The application whose cookies count.</param>
/// <param name="TicketNames">The names under which a ticket counts; at least one.</param>
/// <param name="BindingNames">The same of a signed binding.</param>
/// <param name="RouteName">The name of the route cookie.</param>
internal sealed record InspectionScope(string Application, IReadOnlyList<string> TicketNames, IReadOnlyList<string> BindingNames, string RouteName)
{
    /// <summary>
    /// A MAC does not tell what it was made for, so when it is not right these are tried: each is one more HMAC.
    /// </summary>
    public IReadOnlyList<string> OtherApplications { get; init; } = [];

    /// <summary>Names that tickets may have been made for.</summary>
    public IReadOnlyList<string> OtherTicketNames { get; init; } = [];

    /// <summary>Names that bindings may have been made for.</summary>
    public IReadOnlyList<string> OtherBindingNames { get; init; } = [];

    /// <summary>Every application, the one that counts first.</summary>
    public IEnumerable<string> AllApplications => OtherApplications.Prepend(Application).Distinct(StringComparer.Ordinal);

    /// <summary>Every name of a ticket's cookie, those that count first.</summary>
    public IEnumerable<string> AllTicketNames => TicketNames.Concat(OtherTicketNames).Distinct(StringComparer.Ordinal);

    /// <summary>Every name of a binding's cookie, those that count first.</summary>
    public IEnumerable<string> AllBindingNames => BindingNames.Concat(OtherBindingNames).Distinct(StringComparer.Ordinal);
}
