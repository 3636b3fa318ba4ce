using Affinity.TestKit;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

/// <summary>An app in a frame of another site, where browsers keep and send what is SameSite=None and nothing else.</summary>
public sealed class ForeignFrameTests
{
    /// <summary>
    /// The ticket alone was None there. Route and binding were neither kept nor sent, so each response handed out both again, and a visitor who was pinned to a version changed it with each request.
    /// </summary>
    [Fact]
    public async Task A_visitor_keeps_route_and_binding_there_and_gets_each_once()
    {
        await using var farm = await StickyFarm.StartAsync("a/blue b/green", o => o.Ticket.SameSite = SameSiteMode.None);
        var visitor = new Visitor(new CookieJar(farm.Time) { InForeignFrame = true });

        await visitor.PostOkAsync(farm["a"], "/set");

        Assert.Equal(["AFF=a; Path=/; Secure; HttpOnly; SameSite=None"], visitor.RouteLines());
        Assert.EndsWith("; Path=/; Secure; HttpOnly; SameSite=None", Assert.Single(visitor.LinesOf(BindingName)), StringComparison.Ordinal);
        await visitor.AssertQuietAsync(farm["a"], 4);
        await visitor.AssertQuietAsync(farm["b"], 4);
        Assert.Empty(visitor.Cookies.Refused);
    }

    [Theory]
    [InlineData(SameSiteMode.Lax)]
    [InlineData(SameSiteMode.Strict)]
    public async Task Otherwise_they_are_Lax_whatever_the_ticket_is(SameSiteMode ticket)
    {
        await using var farm = await StickyFarm.StartAsync("a/blue", o => o.Ticket.SameSite = ticket);
        var visitor = farm.NewVisitor();

        await visitor.PostOkAsync(farm["a"], "/set");

        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        Assert.EndsWith("; SameSite=Lax", Assert.Single(visitor.LinesOf(BindingName)), StringComparison.Ordinal);
    }
}
