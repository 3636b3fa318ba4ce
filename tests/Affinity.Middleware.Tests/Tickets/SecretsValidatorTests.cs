using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class SecretsValidatorTests
{
    [Fact]
    public void Good_secrets_have_no_fault() => Assert.Empty(SecretsValidator.Faults([Sample.Secret, Sample.OtherSecret]));

    [Fact]
    public void No_secrets_have_no_fault() => Assert.Empty(SecretsValidator.Faults([]));

    [Theory]
    [InlineData("not base64!", "not base64")]
    [InlineData("", "not base64")]
    [InlineData("c2hvcnQtc2VjcmV0", "has 12 bytes")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "repeats one byte")]
    public void A_fault_is_named_with_its_cure_and_without_its_value(string secret, string fault)
    {
        var message = Assert.Single(SecretsValidator.Faults([Sample.Secret, secret]));
        Assert.StartsWith("Affinity:Secrets:1 ", message, StringComparison.Ordinal);
        Assert.Contains(fault, message, StringComparison.Ordinal);
        Assert.Contains("openssl rand -base64 32", message, StringComparison.Ordinal);
        if (secret.Length > 0)
        {
            Assert.DoesNotContain(secret, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_missing_entry_is_named() => Assert.Single(SecretsValidator.Faults([null!]));

    [Fact]
    public void The_same_bytes_twice_are_named_however_they_are_spelt()
    {
        var message = Assert.Single(SecretsValidator.Faults([Sample.Secret, Sample.OtherSecret, " " + Sample.Secret]));
        Assert.Equal("Affinity:Secrets:2 is the same as Affinity:Secrets:0; remove one of the two", message);
    }

    [Fact]
    public void Every_fault_is_named() => Assert.Equal(3, SecretsValidator.Faults(["?", "c2hvcnQ=", "?"]).Count());
}
