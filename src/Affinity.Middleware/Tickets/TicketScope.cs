namespace Affinity.Tickets;

/// <summary>Whose tickets these are and which secrets sign them.</summary>
/// <param name="Application">The application's name: tickets of another one are refused. Equal on every node and over releases.</param>
/// <param name="Secrets">
/// <c>Affinity:Secrets</c>, validated: base64 of at least 32 random bytes each; the first signs, all verify. Empty: the keys lie in the vault.
/// </param>
internal sealed record TicketScope(string Application, IReadOnlyList<string> Secrets)
{
    /// <summary>Whether other processes share the key vault; if not, there is nothing to advise about its keys.</summary>
    public bool IsShared { get; init; } = true;

    /// <summary>The application only, so that no log line shows a secret.</summary>
    public override string ToString() => Application;
}
