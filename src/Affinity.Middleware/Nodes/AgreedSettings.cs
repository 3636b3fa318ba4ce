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
/// The settings that all nodes must agree on, and how a node tells of them: <c>1</c> and 4 characters of a hash over all; and once another node tells another one, behind it per setting its code and 4 characters of a hash of its value, with
/// nothing between. So no value is told, a record of a farm that agrees is 5 characters longer and else about 170, and a release that knows more settings or fewer compares those that both know.
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
    private const int ShortLength = 1 + HashLength;

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

        var entries = string.Concat(settings.OrderBy(setting => setting.Code, StringComparer.Ordinal).Select(setting => setting.Code + Hash(setting.Code, setting.Value)));
        if (ShortLength + entries.Length > MaxLength)
        {
            throw new ArgumentException($"They take {entries.Length} characters, which is too long.", nameof(settings));
        }

        Short = settings.Count == 0 ? null : Format + Hash("", entries);
        Text = Short + entries is { Length: > 0 } text ? text : null;
    }

    /// <summary>What the node tells while all agree; null when there is nothing to tell.</summary>
    public string? Short { get; }

    /// <summary>What it tells while another one does not.</summary>
    public string? Text { get; }

    /// <summary>Which setting a code stands for; null: one that this release does not know.</summary>
    public string? NameOf(string code) => _names.GetValueOrDefault(code);

    /// <summary>What a node told. Null for what no release tells; never throws.</summary>
    public static ToldSettings? Read(string? text)
    {
        if (text is not { Length: >= ShortLength and <= MaxLength } || text[0] != Format || (text.Length - ShortLength) % EntryLength != 0 || text.AsSpan().ContainsAnyExcept(Letters))
        {
            return null;
        }

        var told = new Dictionary<string, string>((text.Length - ShortLength) / EntryLength, StringComparer.Ordinal);
        for (var at = ShortLength; at < text.Length; at += EntryLength)
        {
            if (!told.TryAdd(text.Substring(at, CodeLength), text.Substring(at + CodeLength, HashLength)))
            {
                return null;
            }
        }

        return new ToldSettings(text[1..ShortLength], told);
    }

    private static string Hash(string code, string text)
    {
        var value = Encoding.UTF8.GetBytes(text);
        byte[] named = [.. Label, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(code), .. value];
        BinaryPrimitives.WriteInt32BigEndian(named.AsSpan(Label.Length), value.Length);
        return Base64Url.EncodeToString(SHA256.HashData(named).AsSpan(..3));
    }
}

/// <summary>What a node told of its settings.</summary>
/// <param name="All">A hash over all: nodes that agree on everything have the same.</param>
/// <param name="ByCode">Hash by code; empty while the node knows of nobody who differs.</param>
internal sealed record ToldSettings(string All, IReadOnlyDictionary<string, string> ByCode);
