using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class AgentCheckOptionsValidatorTests
{
    [Theory]
    [InlineData(null, "127.0.0.1")]
    [InlineData(1, "0.0.0.0")]
    [InlineData(65535, "::")]
    [InlineData(9411, "fd00::1")]
    public void A_right_setting_has_no_fault(int? port, string address) =>
        Assert.Empty(AgentCheckOptionsValidator.Faults(new AgentCheckOptions { Port = port, Address = address }));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65536)]
    public void A_port_out_of_range_is_refused(int port) =>
        Assert.StartsWith("Affinity:AgentCheck:Port is ", Assert.Single(AgentCheckOptionsValidator.Faults(new AgentCheckOptions { Port = port })), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("10.0.0.1:9411")]
    public void What_is_no_IP_address_is_refused(string address) =>
        Assert.StartsWith("Affinity:AgentCheck:Address is ", Assert.Single(AgentCheckOptionsValidator.Faults(new AgentCheckOptions { Address = address })), StringComparison.Ordinal);
}
