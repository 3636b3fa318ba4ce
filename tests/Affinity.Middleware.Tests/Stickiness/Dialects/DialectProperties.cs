using Affinity.Nodes;
using Affinity.Stickiness;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class DialectProperties
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    // What values are put together from, well-formed ones too.
    private static readonly string[] Pieces =
    [
        "node-a", "Node_B", ".", "|", "-", "..", "||", "%2E", "%7C", "node%2Da", "\"", "'", "\\", ";", ",", "=", " ", "\t", "\r\n", "\0", "\u007f", "\u00e9", "\u0661", "\ud800",
        "Cg8xMC4xLjEuMTAwOjgwODA=", "Cg8x", "CgA=", "====", "token", new('x', 32), new('x', 33), new('A', 300), "cbcbfa9fac67839ff2b636c348174b35", "abfb85b9e97cca07", "",
    ];

    public static TheoryData<string> Dialects => [.. Farm.Dialects.Keys];

    private static Arbitrary<NodeId> Nodes { get; } = Arb.From(
        from length in Gen.Choose(1, NodeId.MaxLength)
        from letters in Gen.Elements(Letters.ToCharArray()).ArrayOf(length)
        select NodeId.Parse(new string(letters)));

    private static Arbitrary<string> Texts { get; } = Arb.From(
        from count in Gen.Choose(0, 5)
        from pieces in Gen.OneOf(Gen.Elements(Pieces), ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "")).ArrayOf(count)
        select string.Concat(pieces));

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Every_node_comes_back_from_what_was_written(string name)
    {
        var dialect = Farm.Dialects[name];
        Prop.ForAll(Nodes, node =>
        {
            var target = new RouteTarget(node, $"{node}:80");
            var value = dialect.Write(target, Farm.Token);
            var reading = dialect.Read(value, [Farm.A, target, Farm.B]);
            return RouteCookie.IsValue(value) && (dialect.Steers ? reading.Node == node : reading == RouteReading.Unrecognised);
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>Any text is read without an exception, and what is named is a name.</summary>
    [Theory]
    [MemberData(nameof(Dialects))]
    public void Hostile_text_is_never_an_exception_and_names_only_what_is_well_formed(string name)
    {
        var dialect = Farm.Dialects[name];
        Prop.ForAll(Texts, text =>
        {
            var reading = dialect.Read(text, Farm.Live);
            return reading.Kind == RouteReadingKind.Named
                ? NodeId.TryParse(reading.Node!.Value.Value, out _) && Spells(dialect, text, reading.Node.Value)
                : reading == RouteReading.Unrecognised;
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public void Nothing_in_these_names_a_node(string name)
    {
        string[] values =
        [
            "", ".", "..", "|", "||", ".|", "|.", "...|||...", "\"", "\"\"", "\"node-a\"", "node%2Da", "%6eode-a", "token%2Enode-a", "node-a%7Ctoken", " node-a", "node-a ", "node-a\r\nSet-Cookie:x=1",
            "node-a\0", "n\u00f6de-a", "node\u2010a", "http://10.0.0.1:80/", "10.1.1.100:8080", "../../etc", new('a', 33), new('a', 8192), new('.', 8192), new('|', 8192),
            new string('a', 8192) + ".node-a", "node-a|" + new string('a', 8192), new string('A', 8192), "Cg8xMC4xLjEuMTAwOjgwODA=" + new string('=', 8192), "\ud800\udc00", "\ud800",
        ];
        Assert.All(values, value => Assert.Equal(RouteReading.Unrecognised, Farm.Dialects[name].Read(value, Farm.Live)));
    }

    // The name itself stands in the value, or the value is the one of a node that lives.
    private static bool Spells(IAffinityDialect dialect, string text, NodeId node) => dialect.NeedsAddress || dialect is ComputedDialect
        ? Farm.Live.Any(target => target.Node == node && text.Trim('"') == dialect.Write(target, Farm.Token))
        : text.Length <= IAffinityDialect.MaxValueLength && text.Split('.', '|').Contains(node.Value, StringComparer.Ordinal);
}
