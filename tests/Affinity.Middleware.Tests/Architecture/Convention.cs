using Xunit;

namespace Affinity.Tests.Architecture;

internal static class Convention
{
    /// <summary>Fails with every violation in full, one per line; a collection assertion would cut them short.</summary>
    public static void Holds(string rule, IEnumerable<string?> violations)
    {
        var all = violations.ToArray();
        if (all.Length > 0)
        {
            Assert.Fail(string.Join('\n', all.Select(violation => "  " + violation).Prepend(rule)));
        }
    }
}
