using System.Text.Json;
using System.Text.Json.Serialization;
using Affinity.Nodes;

namespace Affinity.Backends.Redis;

/// <summary>What a node tells about itself, as compact JSON. Later versions may add fields under the same format number; readers ignore what they do not know.</summary>
internal sealed record RedisNodeRecord(
    [property: JsonPropertyName("f"), JsonRequired] int Format,
    [property: JsonPropertyName("s"), JsonRequired] string State,
    [property: JsonPropertyName("n"), JsonRequired] int InFlight,
    [property: JsonPropertyName("b"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Bound = 0,
    [property: JsonPropertyName("a"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Address = null,
    [property: JsonPropertyName("t"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Track = null,
    [property: JsonPropertyName("x"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Stopping = false,
    [property: JsonPropertyName("l"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int FormatLevel = 0,
    [property: JsonPropertyName("c"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Settings = null)
{
    private const int CurrentFormat = 1;
    private const int UntoldLevel = 1;
    private const string Active = "active";
    private const string Draining = "draining";
    private const string Starting = "starting";

    public static string Write(NodeRecord node) => JsonSerializer.Serialize(
        new RedisNodeRecord(CurrentFormat, WordOf(node.State), node.InFlight, node.Bound, node.Address, node.Track, node.Stopping, node.FormatLevel == UntoldLevel ? 0 : node.FormatLevel, node.Settings),
        RedisJsonContext.Default.RedisNodeRecord);

    private static string WordOf(NodeState state) => state switch
    {
        NodeState.Draining => Draining,
        NodeState.Starting => Starting,
        _ => Active,
    };

    private NodeRecord ToNode(NodeId id, Guid incarnation, NodeState state) =>
        new(id, incarnation, state, InFlight) { Bound = Bound, Address = Address, Track = Track, Stopping = Stopping, FormatLevel = FormatLevel == 0 ? UntoldLevel : FormatLevel, Settings = Settings };

    /// <summary>Reads a field of the directory, <c>until incarnation record</c>. Null for a record of another format.</summary>
    public static NodeRecord? Read(string id, string field)
    {
        if (field.Split(' ', 3) is not [_, var incarnation, var json] || !NodeId.TryParse(id, out var name) || !Guid.TryParseExact(incarnation, "N", out var life))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(json, RedisJsonContext.Default.RedisNodeRecord) switch
            {
                { Format: CurrentFormat, State: Active } told => told.ToNode(name, life, NodeState.Active),
                { Format: CurrentFormat, State: Draining } told => told.ToNode(name, life, NodeState.Draining),
                { Format: CurrentFormat, State: Starting } told => told.ToNode(name, life, NodeState.Starting),
                _ => null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(RedisNodeRecord))]
internal sealed partial class RedisJsonContext : JsonSerializerContext;
