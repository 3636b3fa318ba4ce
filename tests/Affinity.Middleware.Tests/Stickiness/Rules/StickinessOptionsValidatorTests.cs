using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class StickinessOptionsValidatorTests
{
    [Fact]
    public void The_defaults_have_no_fault() => Assert.Empty(Faults(new StickinessOptions()));

    [Fact]
    public void Every_fault_is_told_at_once_and_names_its_setting()
    {
        var faults = Faults(new StickinessOptions
        {
            CookieName = "A F",
            Dialect = (AffinityDialect)9,
            Ownership = (RouteOwnership)9,
            Bind = (BindMoment)9,
            Lifetime = (BindingLifetime)9,
            OnOtherNode = (OtherNodePolicy)9,
            ApplicationCookie = "SHOP",
            Duration = TimeSpan.FromSeconds(59),
            TrackDuration = TimeSpan.FromDays(7.1),
            RepairLimit = 16,
            ReleaseAbove = 1.019,
            ReleaseShare = 0.51,
            ReleaseInterval = TimeSpan.Zero,
        });

        string[] named = ["CookieName", "ApplicationCookie", "Dialect", "Ownership", "Bind", "Lifetime", "OnOtherNode", "Duration", "TrackDuration", "RepairLimit", "ReleaseAbove", "ReleaseShare", "ReleaseInterval"];
        Assert.Equal(named.Select(name => $"Affinity:Stickiness:{name}"), faults.Select(fault => fault.Split(' ')[0]), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("A;B")]
    [InlineData("AFF")]
    public void Application_needs_a_cookie_of_the_app_to_follow(string? cookie) =>
        Assert.Contains("ApplicationCookie", Assert.Single(Faults(new StickinessOptions { Lifetime = BindingLifetime.Application, ApplicationCookie = cookie })), StringComparison.Ordinal);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1.0)]
    public void A_multiple_that_means_nothing_is_refused(double above) => Assert.Single(Faults(new StickinessOptions { ReleaseAbove = above }));

    [Fact]
    public void A_share_that_is_no_number_is_refused() => Assert.Single(Faults(new StickinessOptions { ReleaseShare = double.NaN }));

    [Fact]
    public void The_stated_bounds_are_allowed_themselves()
    {
        Assert.Empty(Faults(new StickinessOptions
        {
            CookieName = new string('x', 64), Duration = TimeSpan.FromMinutes(1), TrackDuration = TimeSpan.FromMinutes(1), RepairLimit = 0, ReleaseAbove = 1.02, ReleaseShare = 0,
            ReleaseInterval = TimeSpan.FromSeconds(1),
        }));
        Assert.Empty(Faults(new StickinessOptions
        {
            Duration = TimeSpan.FromDays(30), TrackDuration = TimeSpan.FromDays(7), RepairLimit = 15, ReleaseShare = 0.5, ReleaseInterval = TimeSpan.FromHours(1),
        }));
    }

    [Theory]
    [InlineData("__Host-AFF")]
    [InlineData("__secure-AFF")]
    public void A_name_that_browsers_take_over_TLS_only_is_refused_without_it(string name)
    {
        var options = new StickinessOptions { CookieName = name };
        Assert.Empty(StickinessOptionsValidator.Faults(options, secure: true));
        Assert.Contains("InsecureAllowHttp", Assert.Single(StickinessOptionsValidator.Faults(options, secure: false)), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Faults(StickinessOptions options) => StickinessOptionsValidator.Faults(options, secure: true);
}
