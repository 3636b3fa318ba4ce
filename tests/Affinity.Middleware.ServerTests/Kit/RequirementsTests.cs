using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class RequirementsTests
{
    [Fact]
    public void A_missing_program_skips_with_its_name_and_cure()
    {
        var reason = Requirements.SkipReason(Needs.Redis | Needs.Nginx, strict: false, need => need == Needs.Nginx ? "/usr/sbin/nginx" : null);
        Assert.Equal("redis-server is not installed. Cure: apt-get install redis-server.", reason);
    }

    [Fact]
    public void Nothing_is_skipped_in_ci() => Assert.Null(Requirements.SkipReason(Needs.Redis, strict: true, _ => null));

    [Fact]
    public void Nothing_is_skipped_when_all_is_there() => Assert.Null(Requirements.SkipReason(Needs.Redis, strict: false, _ => "/bin/true"));
}
