using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class TicketOptionsValidatorTests
{
    [Theory]
    [InlineData(null, SameSiteMode.Lax, false)]
    [InlineData(null, SameSiteMode.Strict, true)]
    [InlineData(null, SameSiteMode.None, false)]
    [InlineData("__Host-shop", SameSiteMode.Lax, false)]
    [InlineData("__Secure-shop", SameSiteMode.Lax, false)]
    [InlineData("shop", SameSiteMode.Lax, true)]
    public void Good_options_have_no_fault(string? name, SameSiteMode sameSite, bool insecure) =>
        Assert.Empty(TicketOptionsValidator.Faults(new TicketOptions { CookieName = name, SameSite = sameSite, InsecureAllowHttp = insecure }));

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a;b")]
    [InlineData("a=b")]
    [InlineData("a,b")]
    [InlineData("\"a\"")]
    [InlineData("a\r\nSet-Cookie: x")]
    [InlineData("käse")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_name_that_is_no_token_is_refused(string name) =>
        AssertFault("Affinity:Ticket:CookieName must be", new TicketOptions { CookieName = name });

    [Theory]
    [InlineData("__Host-shop")]
    [InlineData("__Secure-shop")]
    [InlineData("__host-shop")]
    [InlineData("__Http-shop")]
    public void A_prefix_that_needs_tls_is_refused_without_it(string name) =>
        AssertFault("Affinity:Ticket:CookieName has a prefix", new TicketOptions { CookieName = name, InsecureAllowHttp = true });

    [Theory]
    [InlineData(SameSiteMode.Unspecified)]
    [InlineData((SameSiteMode)7)]
    public void SameSite_must_be_said(SameSiteMode mode) =>
        AssertFault("Affinity:Ticket:SameSite must be", new TicketOptions { SameSite = mode });

    [Fact]
    public void SameSite_none_needs_tls() =>
        AssertFault("Affinity:Ticket:SameSite is None", new TicketOptions { SameSite = SameSiteMode.None, InsecureAllowHttp = true });

    [Theory]
    [InlineData(399)]
    [InlineData(16_001)]
    public void No_ticket_is_so_short_or_so_long(int maxBytes) => AssertFault("Affinity:Ticket:MaxBytes must be", new TicketOptions { MaxBytes = maxBytes });

    [Fact]
    public void Every_fault_is_named() =>
        Assert.Equal(3, TicketOptionsValidator.Faults(new TicketOptions { CookieName = "__Host- ", SameSite = SameSiteMode.None, InsecureAllowHttp = true }).Count());

    private static void AssertFault(string start, TicketOptions options) =>
        Assert.StartsWith(start, Assert.Single(TicketOptionsValidator.Faults(options)), StringComparison.Ordinal);
}
