using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Hosting;

public sealed class CrossSiteRequestTests
{
    [Theory]
    [InlineData(false, "shop.example", null, null)]
    [InlineData(false, "shop.example", "same-origin", null)]
    [InlineData(false, "shop.example", "none", null)]
    [InlineData(true, "shop.example", "same-site", null)]
    [InlineData(true, "shop.example", "cross-site", null)]
    [InlineData(true, "shop.example", "Same-Origin", null)]
    [InlineData(true, "shop.example", "anything", null)]
    [InlineData(true, "shop.example", "same-origin,cross-site", null)]
    [InlineData(true, "shop.example", "cross-site", "https://shop.example")]
    [InlineData(false, "shop.example", "same-origin", "https://elsewhere.example")]
    [InlineData(false, "shop.example", null, "https://shop.example")]
    [InlineData(false, "Shop.Example", null, "https://shop.example")]
    [InlineData(false, "localhost:5080", null, "http://localhost:5080")]
    [InlineData(false, "[::1]:5080", null, "http://[::1]:5080")]
    [InlineData(true, "localhost:5080", null, "http://localhost:5081")]
    [InlineData(true, "shop.example", null, "https://evil.example")]
    [InlineData(true, "shop.example", null, "https://shop.example.evil.example")]
    [InlineData(true, "shop.example", null, "https://evil.example/://shop.example")]
    [InlineData(true, "shop.example", null, "https://user@shop.example")]
    [InlineData(true, "shop.example", null, "null")]
    [InlineData(true, "shop.example", null, "shop.example")]
    [InlineData(true, "shop.example", null, "https://")]
    [InlineData(true, "", null, "https://")]
    [InlineData(true, "shop.example", null, "https://shop.example,https://evil.example")]
    public void A_request_of_another_sites_page_is_told_by_what_the_browser_says(bool crossSite, string host, string? site, string? origin)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.Host = host;
        if (site is not null)
        {
            request.Headers["Sec-Fetch-Site"] = site.Split(',');
        }

        if (origin is not null)
        {
            request.Headers.Origin = origin.Split(',');
        }

        Assert.Equal(crossSite, CrossSiteRequest.Is(request));
    }
}
