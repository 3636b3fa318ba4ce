using System.Runtime.CompilerServices;
using Microsoft.Extensions.Primitives;

namespace Affinity.Tickets;

/// <summary>
/// The different values of one cookie in a request, as slices of the raw <c>Cookie</c> header: names compare ordinally, nothing is decoded.
/// The framework's own reader takes the last duplicate, ignores case and percent-decodes.
/// </summary>
internal struct CookieValues
{
    /// <summary>How many different values are looked at; each costs a signature check, and a browser of good will sends one.</summary>
    public const int Max = 3;

    private Slots _values;

    /// <summary>How many there are, 0 to <see cref="Max"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Whether there were further ones, which are ignored.</summary>
    public bool More { get; private set; }

    /// <summary>Whether there was a cookie of this name with a hyphen and a digit from 2 on behind it.</summary>
    public bool HasNumbered { get; private set; }

    public readonly ReadOnlyMemory<char> this[int index] => _values[index];

    public static CookieValues Read(StringValues header, string name)
    {
        var values = default(CookieValues);
        foreach (var line in header)
        {
            if (line is not null)
            {
                values.AddLine(line, name);
            }
        }

        return values;
    }

    private void AddLine(string line, string name)
    {
        for (var at = line.IndexOf(name, StringComparison.Ordinal); at >= 0; at = line.IndexOf(name, at, StringComparison.Ordinal))
        {
            var isPair = BeginsPair(line.AsSpan(0, at));
            at += name.Length;
            if (isPair && at < line.Length && line[at] == '=')
            {
                var rest = line.AsMemory(at + 1);
                var end = rest.Span.IndexOf(';');
                Add((end < 0 ? rest : rest[..end]).TrimEnd());
            }
            else if (isPair && line.AsSpan(at) is ['-', >= '2' and <= '9', '=', ..])
            {
                HasNumbered = true;
            }
        }
    }

    /// <summary>Whether a name may stand behind this: nothing, or a semicolon, and then blanks.</summary>
    private static bool BeginsPair(ReadOnlySpan<char> before) => before.TrimEnd() is [] or [.., ';'];

    private void Add(ReadOnlyMemory<char> value)
    {
        for (var i = 0; i < Count; i++)
        {
            if (_values[i].Span.SequenceEqual(value.Span))
            {
                return;
            }
        }

        if (Count == Max)
        {
            More = true;
            return;
        }

        _values[Count++] = value;
    }

    [InlineArray(Max)]
    private struct Slots
    {
        private ReadOnlyMemory<char> _first;
    }
}
