using System.Buffers;
using System.Buffers.Text;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Affinity.Nodes;

/// <summary>One setting that all nodes must agree on.</summary>
/// <param name="Code">Two letters or digits, the same in every release.</param>
/// <param name="Name">For people: its path.</param>
/// <param name="Value">What it is. Never a secret; of those an id.</param>
internal sealed record AgreedSetting(string Code, string Name, string Value);

/// <summary>
/// The settings that all nodes must agree on, and how a node tells of them: <c>1</c>, then per setting its code and 4 characters of a hash of its value, with nothing between. So a value is not told, a record stays small (about 150 characters),
/// and a release that knows more settings or fewer compares those that both know.
/// </summary>
internal sealed class AgreedSettings
{
    /// <summary>The longest that any release may tell.</summary>
    public const int MaxLength = 1024;

    public static readonly AgreedSettings None = new([]);

    private const char Format = '1';
    private const int CodeLength = 2;
    private const int HashLength = 4;
    private const int EntryLength = CodeLength + HashLength;

    private static readonly byte[] Label = "Affinity agreed setting"u8.ToArray();
    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">A code is given twice, or is none.</exception>
    public AgreedSettings(IReadOnlyCollection<AgreedSetting> settings)
    {
        foreach (var setting in settings)
        {
            if (setting.Code.Length != CodeLength || setting.Code.AsSpan().ContainsAnyExcept(Letters) || !_names.TryAdd(setting.Code, setting.Name))
            {
                throw new ArgumentException($"'{setting.Code}' must be two letters or digits of its own.", nameof(settings));
            }
        }

        Text = settings.Count == 0 ? null : string.Concat([Format.ToString(), .. settings.OrderBy(setting => setting.Code, StringComparer.Ordinal).Select(setting => setting.Code + Hash(setting))]);
        if (Text?.Length > MaxLength)
        {
            throw new ArgumentException($"They take {Text.Length} characters, {MaxLength} are allowed.", nameof(settings));
        }
    }

    /// <summary>What the node tells; null when there is nothing to tell.</summary>
    public string? Text { get; }

    /// <summary>Which setting a code stands for; null: one that this release does not know.</summary>
    public string? NameOf(string code) => _names.GetValueOrDefault(code);

    /// <summary>What a node told, hash by code. Null for what no release tells; never throws.</summary>
    public static IReadOnlyDictionary<string, string>? Read(string? text)
    {
        if (text is not { Length: > 1 and <= MaxLength } || text[0] != Format || (text.Length - 1) % EntryLength != 0 || text.AsSpan().ContainsAnyExcept(Letters))
        {
            return null;
        }

        var told = new Dictionary<string, string>((text.Length - 1) / EntryLength, StringComparer.Ordinal);
        for (var at = 1; at < text.Length; at += EntryLength)
        {
            if (!told.TryAdd(text.Substring(at, CodeLength), text.Substring(at + CodeLength, HashLength)))
            {
                return null;
            }
        }

        return told;
    }

    private static string Hash(AgreedSetting setting)
    {
        var value = Encoding.UTF8.GetBytes(setting.Value);
        byte[] named = [.. Label, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(setting.Code), .. value];
        BinaryPrimitives.WriteInt32BigEndian(named.AsSpan(Label.Length), value.Length);
        return Base64Url.EncodeToString(SHA256.HashData(named).AsSpan(..3));
    }
}
