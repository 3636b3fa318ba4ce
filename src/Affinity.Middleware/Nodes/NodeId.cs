using System.Diagnostics.CodeAnalysis;

namespace Affinity.Nodes;

/// <summary>
/// The name of one instance of the app, as balancers compare it: 1 to 32 characters of <c>A-Z a-z 0-9 _ -</c>.
/// Comparison is ordinal. <c>default</c> names no node and throws when it is used.
/// </summary>
public readonly record struct NodeId
{
    /// <summary>The longest name that every supported balancer takes.</summary>
    public const int MaxLength = 32;

    private readonly string? _value;

    private NodeId(string value) => _value = value;

    /// <summary>The name itself.</summary>
    /// <exception cref="InvalidOperationException">This is <c>default(NodeId)</c>.</exception>
    public string Value => _value ?? throw new InvalidOperationException("default(NodeId) names no node; use NodeId.Parse.");

    /// <summary>Reads a name; answers false for anything that a balancer could not match byte for byte.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NodeId id)
    {
        id = default;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
            {
                return false;
            }
        }

        id = new NodeId(text);
        return true;
    }

    /// <summary>Reads a name.</summary>
    /// <exception cref="FormatException">The text is not 1 to 32 characters of <c>A-Z a-z 0-9 _ -</c>.</exception>
    public static NodeId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw new FormatException($"A node name is 1 to {MaxLength} characters of A-Z a-z 0-9 _ and -, so that every balancer can match it byte for byte.");

    /// <inheritdoc/>
    public override string ToString() => Value;
}
