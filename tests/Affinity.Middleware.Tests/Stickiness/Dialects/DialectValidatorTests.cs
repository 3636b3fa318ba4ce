using Affinity.Stickiness;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class DialectValidatorTests
{
    public static TheoryData<string> Dialects => [.. Farm.Dialects.Keys];

    [Theory]
    [MemberData(nameof(Dialects))]
    public void A_node_with_an_address_can_be_named_in_every_dialect(string name) => Assert.Empty(DialectValidator.Faults(Farm.Dialects[name], Farm.A));

    [Theory]
    [MemberData(nameof(Dialects))]
    public void A_node_without_an_address_is_refused_where_values_are_made_of_it(string name)
    {
        var faults = DialectValidator.Faults(Farm.Dialects[name], Farm.A with { Address = null });
        if (Farm.Dialects[name].NeedsAddress)
        {
            Assert.StartsWith("Affinity:Node:Address is not set", Assert.Single(faults), StringComparison.Ordinal);
        }
        else
        {
            Assert.Empty(faults);
        }
    }

    [Theory]
    [InlineData("10.0.0.1:8080\u00e9")]
    [InlineData("a-name-that-goes-on-and-on-0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789:80")]
    public void An_address_that_Envoy_cannot_have_is_refused(string address) => Assert.Contains(
        "Affinity:Node:Address",
        Assert.Single(DialectValidator.Faults(Farm.Dialects["EnvoyAddress"], Farm.A with { Address = address })),
        StringComparison.Ordinal);

    [Fact]
    public void A_custom_dialect_that_writes_what_no_cookie_can_hold_is_refused() => Assert.Contains(
        "cookie octets", Assert.Single(DialectValidator.Faults(new ComputedDialect(target => $"\"{target.Node}\"", needsAddress: false), Farm.A)), StringComparison.Ordinal);

    [Fact]
    public void A_custom_dialect_that_fails_for_this_node_is_refused() => Assert.Contains(
        "cookie octets", Assert.Single(DialectValidator.Faults(new ComputedDialect(_ => throw new KeyNotFoundException(), needsAddress: false), Farm.A)), StringComparison.Ordinal);

    [Fact]
    public void A_custom_dialect_that_does_not_know_its_own_value_is_refused() => Assert.Contains(
        "does not read the value back", Assert.Single(DialectValidator.Faults(new OneWay(), Farm.A)), StringComparison.Ordinal);

    private sealed class OneWay : IAffinityDialect
    {
        public bool Steers => true;

        public bool NeedsAddress => false;

        public string Write(RouteTarget target, string token) => target.Node.Value;

        public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => RouteReading.Unrecognised;
    }
}
