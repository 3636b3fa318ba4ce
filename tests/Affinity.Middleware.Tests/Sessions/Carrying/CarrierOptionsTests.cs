using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.Journaling;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>What cannot work, or would be unsafe, is refused at start, with the cure.</summary>
public sealed class CarrierOptionsTests
{
    [Fact]
    public async Task Without_a_secret_and_without_a_store_no_other_instance_could_verify_a_cookie()
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => PipelineApp.StartAsync(_ => { }, options => options.Sessions.Carrier = SessionCarrier.Cookie));
        Assert.Contains("openssl rand -base64 32", Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compression_and_encryption_do_not_go_together()
    {
        var farm = new CookieFarm();
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => farm.StartAsync(options => options.Sessions.Cookie.Compress = true));
        Assert.Contains("set Protection to Sign", Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_floor_needs_a_store()
    {
        var farm = new CookieFarm();
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => farm.StartAsync(options => options.Sessions.Cookie.Floor = ReplayFloor.Store));
        Assert.Contains("ConnectionStrings:redis", Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_cookie_cannot_have_the_name_of_a_part_of_the_ticket()
    {
        var farm = new JournalFarm();
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => farm.StartAsync(options => options.Stickiness.CookieName = "__Host-affinity-2"));
        Assert.Contains("Affinity:Stickiness:CookieName", Assert.Single(e.Failures), StringComparison.Ordinal);
    }
}
