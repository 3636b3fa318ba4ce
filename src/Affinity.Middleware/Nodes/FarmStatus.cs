using System.Text.Json.Serialization;

namespace Affinity.Nodes;

/// <summary>What this node can tell of all nodes, from memory: the others as of its last beat, itself as it stands now.</summary>
internal sealed class FarmStatus(NodeMembership node)
{
    public NodesAnswer Read() => new(node.Self.Value, node.DirectoryAnswers, node.Problem, node.LevelToWrite, node.Drift is { Count: > 0 } drift ? drift : null, [.. node.Live.Select(Describe)]);

    public NodeAnswer Describe(NodeRecord record)
    {
        // Not by name alone: another node may hold this one's.
        var self = record.Id == node.Self && record.Incarnation == node.Incarnation;
        var now = self ? node.ToRecord() : record;
        return new(now.Id.Value, now.Incarnation, StateWord(now), now.Track, now.Address, now.InFlight, now.Bound, now.FormatLevel, self);
    }

    private static string StateWord(NodeRecord record) => record switch
    {
        { Stopping: true } => "stopping",
        { State: NodeState.Draining } => "draining",
        { State: NodeState.Starting } => "starting",
        _ => "active",
    };
}

/// <summary>All living nodes as one of them sees them.</summary>
/// <param name="Node">Which node tells.</param>
/// <param name="DirectoryAnswers">Whether the directory answered its last beat; if not, the nodes are as of the last one that it did.</param>
/// <param name="Problem">As in the readiness answer; null when all is well.</param>
/// <param name="WritesLevel">The level of formats that the node writes: the lowest that living nodes read.</param>
/// <param name="Drift">The settings that all nodes must agree on and in which others differ from this one; null when all agree.</param>
/// <param name="Nodes">In ordinal order of id.</param>
internal sealed record NodesAnswer(string Node, bool DirectoryAnswers, string? Problem, int WritesLevel, IReadOnlyList<SettingDrift>? Drift, IReadOnlyList<NodeAnswer> Nodes);

/// <summary>One node. <c>State</c> is <c>starting</c>, <c>active</c>, <c>draining</c> or <c>stopping</c>; <c>Self</c>: it is the one that tells.</summary>
internal sealed record NodeAnswer(string Id, Guid Incarnation, string State, string? Track, string? Address, int InFlight, int Bound, int FormatLevel, bool Self);

/// <summary>A command that was accepted, what follows from it, and the node as it was last seen; null when it tells of itself in a form that this version cannot read.</summary>
internal sealed record CommandAnswer(string Command, string Next, NodeAnswer? Node);

/// <summary>Why not, after RFC 9457.</summary>
internal sealed record ProblemAnswer(string Title, int Status, string Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NodesAnswer))]
[JsonSerializable(typeof(CommandAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
internal sealed partial class FarmJson : JsonSerializerContext;
