using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class DataProtectionGateTests
{
    [Theory]
    [InlineData("8.0.11", false)]
    [InlineData("9.0.99", false)]
    [InlineData("10.0", true)]
    [InlineData("10.0.0", true)]
    [InlineData("10.0.1", true)]
    [InlineData("10.0.6", true)]
    [InlineData("10.0.6.4711", true)]
    [InlineData("10.0.7", false)]
    [InlineData("10.0.12", false)]
    [InlineData("10.1.0", false)]
    [InlineData("11.0.0", false)]
    public void Versions_that_accept_forged_payloads_are_refused(string version, bool refused)
    {
        var refusal = DataProtectionGate.Refusal(Version.Parse(version));

        Assert.Equal(refused, refusal is not null);
        if (refused)
        {
            Assert.Contains("CVE-2026-40372", refusal, StringComparison.Ordinal);
            Assert.Contains("10.0.7", refusal, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_loaded_version_is_the_runtimes_and_is_let_through()
    {
        var version = DataProtectionGate.VersionOf(typeof(KeyManagementOptions).Assembly);

        Assert.Equal(Environment.Version, version);
        Assert.Null(DataProtectionGate.Refusal(version));
    }
}
