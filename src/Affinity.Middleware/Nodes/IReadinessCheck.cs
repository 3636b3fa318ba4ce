namespace Affinity.Nodes;

/// <summary>One thing that must be there before a node takes visitors. Answers from memory, at once.</summary>
internal interface IReadinessCheck
{
    /// <summary>Null when ready; else one sentence that says what is missing and how it comes.</summary>
    string? NotReadyBecause();
}
