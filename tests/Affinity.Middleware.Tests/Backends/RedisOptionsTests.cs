using Affinity.Backends.Redis;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class RedisOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(RedisOptionsValidator.Faults(new RedisOptions()));

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("slot{1}")]
    [InlineData("ümlaut:")]
    [InlineData("line\n")]
    [InlineData("a2345678901234567890123456789012345678901234567890123456789012345")]
    public void A_prefix_that_would_not_do_is_named(string prefix) =>
        Assert.Contains("KeyPrefix", Faults(new RedisOptions { KeyPrefix = prefix }), StringComparison.Ordinal);

    [Theory]
    [InlineData("ShopSample", "affinity:ShopSample:")]
    [InlineData("Little Lantern", "affinity:97529d61823bd85a:")]
    [InlineData("{shop}", "affinity:19891de3d54c1110:")]
    public void Apps_that_share_a_server_have_prefixes_of_their_own_whatever_their_names(string application, string prefix)
    {
        Assert.Equal(prefix, RedisOptions.PrefixOf(application));
        Assert.Empty(RedisOptionsValidator.Faults(new RedisOptions { KeyPrefix = RedisOptions.PrefixOf(application) }));
    }

    [Fact]
    public void Every_fault_is_reported_at_once()
    {
        var faults = Faults(new RedisOptions { Configuration = "", KeyPrefix = "{", DataProtectionKey = " ", ConnectTimeout = TimeSpan.Zero });

        Assert.All(["Configuration", "KeyPrefix", "DataProtectionKey", "ConnectTimeout"], name => Assert.Contains(name, faults, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1:6379,password=hunter2,secondhalf=ofit")]
    [InlineData("127.0.0.1:6379,connectTimeout=hunter2")]
    public void A_connection_string_that_cannot_be_read_is_not_quoted(string configuration)
    {
        var faults = Faults(new RedisOptions { Configuration = configuration });

        Assert.Contains("Affinity:Redis:Configuration", faults, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", faults, StringComparison.Ordinal);
        Assert.DoesNotContain("secondhalf", faults, StringComparison.Ordinal);
    }

    private static string Faults(RedisOptions options) => string.Join('\n', RedisOptionsValidator.Faults(options));
}
