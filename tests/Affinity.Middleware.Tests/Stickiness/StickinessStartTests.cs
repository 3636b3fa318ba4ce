using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Stickiness;

/// <summary>Settings of the stage that do not fit together keep the app from starting, and the message names setting and cure.</summary>
public sealed class StickinessStartTests
{
    [Theory]
    [InlineData("Affinity:Stickiness:CookieName is __Host-affinity, which is a cookie that Affinity signs; leave it out for AFF", "Stickiness:CookieName=__Host-affinity")]
    [InlineData("Affinity:Stickiness:CookieName is __Host-affinity-binding, which is a cookie that Affinity signs", "Stickiness:CookieName=__Host-affinity-binding")]
    [InlineData("Affinity:Stickiness:CookieName is sid, which is a cookie that Affinity signs", "Stickiness:CookieName=sid", "Ticket:CookieName=sid")]
    [InlineData("Affinity:Stickiness:CookieName is sid-binding, which is a cookie that Affinity signs", "Stickiness:CookieName=sid-binding", "Ticket:CookieName=sid")]
    [InlineData("Affinity:Stickiness:ApplicationCookie is __Host-affinity, which is written after the binding is decided; name a cookie that the app sets", "Stickiness:Lifetime=Application", "Stickiness:ApplicationCookie=__Host-affinity")]
    [InlineData("Affinity:Stickiness:ApplicationCookie is the route cookie itself", "Stickiness:Lifetime=Application", "Stickiness:ApplicationCookie=AFF")]
    [InlineData("Affinity:Stickiness:ApplicationCookie must name the cookie", "Stickiness:Lifetime=Application")]
    [InlineData("Set it to this node's host and port as the balancer dials them, such as 10.1.1.100:8080, or choose another Affinity:Stickiness:Dialect", "Stickiness:Dialect=EnvoyAddress")]
    [InlineData("Affinity:Node:Track is 'light blue'. Use 1 to 32 characters", "Node:Track=light blue")]
    [InlineData("Affinity:Stickiness:TrackDuration is 8.00:00:00. Use 00:01:00 to 7.00:00:00", "Stickiness:TrackDuration=8.00:00:00")]
    [InlineData("Affinity:Stickiness:ReleaseInterval is 00:00:10 but must be at least 2 × Affinity:Node:HeartbeatInterval (00:00:06) when ReleaseAbove is set", "Stickiness:ReleaseAbove=1.5", "Node:HeartbeatInterval=00:00:06", "Node:DeadAfter=00:00:30")]
    [InlineData("use another name here and at the balancer, or turn that off", "Stickiness:CookieName=__Host-AFF", "Ticket:InsecureAllowHttp=true")]
    [InlineData("Affinity:Stickiness:CookieName has a prefix", "Stickiness:CookieName=__secure-AFF", "Ticket:InsecureAllowHttp=true")]
    public async Task A_fault_names_the_setting_and_the_cure(string expected, params string[] settings)
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(settings));

        Assert.Contains(expected, Assert.Single(e.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Stickiness:CookieName=__Host-AFF")]
    [InlineData("Stickiness:ReleaseAbove=1.5", "Node:HeartbeatInterval=00:00:05", "Node:DeadAfter=00:00:30")]
    [InlineData("Node:HeartbeatInterval=00:00:06", "Node:DeadAfter=00:00:30")]
    [InlineData("Stickiness:Dialect=EnvoyAddress", "Node:Address=10.1.1.100:8080")]
    [InlineData("Stickiness:Dialect=EnvoyAddress", "Stickiness:Enabled=false")]
    [InlineData("Stickiness:Lifetime=Application", "Stickiness:ApplicationCookie=__Host-affinity", "Ticket:CookieName=t")]
    public async Task What_fits_together_starts(params string[] settings) => await StartAsync(settings);

    private static async Task StartAsync(string[] settings)
    {
        var builder = WebApplication.CreateBuilder(settings.Select(setting => $"--Affinity:{setting}").ToArray());
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.AddAffinity(o => o.Node.Id = "a");
        await using var app = builder.Build();
        await app.StartAsync();
    }
}
