using System.Text.Json.Serialization;

namespace Affinity.Nodes;

/// <summary>What the health paths answer, decided from memory: a probe never waits for a store.</summary>
internal sealed class NodeHealth(NodeMembership node, IEnumerable<IReadinessCheck> checks)
{
    private const string LastToServe = "The node drains by command, but no other node takes visitors, so it stays ready.";

    private readonly IReadinessCheck[] _checks = [.. checks];

    public LiveAnswer Live() => new(node.Self.Value, StateWord(), node.Requests.InFlight, node.Bound.Count, node.Requests.Served, node.Live.Count);

    /// <summary>Whether nothing is missing that the node needs to serve visitors.</summary>
    public bool HasAll() => Array.TrueForAll(_checks, check => check.NotReadyBecause() is null);

    public ReadyAnswer Ready()
    {
        List<string> reasons = [];
        var (drains, isLast) = (node.State == NodeState.Draining, node.IsLastToServe);
        if (drains && !isLast)
        {
            reasons.Add(node.IsStopping ? "The node is draining: it is about to stop." : "The node is draining, by command.");
        }

        var problem = node.Problem;
        if (!node.HasJoined)
        {
            reasons.Add(problem ?? "The node has not yet joined the node directory.");
        }

        foreach (var check in _checks)
        {
            if (check.NotReadyBecause() is { } reason)
            {
                reasons.Add(reason);
            }
        }

        // A node that has joined stays ready without the directory, else one outage of the store would take the whole farm out; and with settings of its own, else a rolling upgrade would.
        return new(node.Self.Value, StateWord(), Ready: reasons.Count == 0, reasons, Degraded: node.HasJoined ? problem ?? (isLast ? LastToServe : DriftRules.Describe(node.Drift)) : null)
        {
            IsDrainingOnly = reasons.Count == 1 && drains && !isLast,
        };
    }

    private string StateWord() => node.ToldState switch
    {
        NodeState.Draining => "draining",
        NodeState.Starting => "starting",
        _ => "active",
    };
}

/// <summary>The body of <c>/live</c>. <c>Live</c> counts the living nodes of the farm.</summary>
internal sealed record LiveAnswer(string Node, string State, int InFlight, int Bound, long Requests, int Live);

/// <summary>The body of <c>/ready</c>.</summary>
internal sealed record ReadyAnswer(string Node, string State, bool Ready, IReadOnlyList<string> Reasons, string? Degraded)
{
    /// <summary>Whether the drain is the only reason; the status tells it, the body does not.</summary>
    [JsonIgnore]
    public bool IsDrainingOnly { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LiveAnswer))]
[JsonSerializable(typeof(ReadyAnswer))]
internal sealed partial class HealthJson : JsonSerializerContext;
