using System.Net;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.ServerTests.Kit;

public sealed class VisitorTests : IAsyncLifetime
{
    private readonly Uri _address = new($"http://127.0.0.1:{LoopbackPort.Next()}/");
    private readonly WebApplication _app;

    public VisitorTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add(_address.GetLeftPart(UriPartial.Authority));
        _app.MapGet("/set", (HttpContext context) =>
        {
            context.Response.Headers.Append("Set-Cookie", "__Host-s=a%2Fb; Path=/; Secure");
            context.Response.Headers.Append("Set-Cookie", "t=1; Path=/");
            return Results.Redirect("/cookies");
        });
        _app.MapGet("/cookies", (HttpContext context) => context.Request.Headers.Cookie.ToString());
        _app.MapPost("/kept", () => Results.Redirect("/echo", permanent: false, preserveMethod: true));
        _app.MapPost("/echo", async (HttpContext context) => $"{context.Request.ContentType} {await new StreamReader(context.Request.Body).ReadToEndAsync()}");
        _app.MapGet("/loop", () => Results.Redirect("/loop"));
    }

    public Task InitializeAsync() => _app.StartAsync();

    public Task DisposeAsync() => _app.DisposeAsync().AsTask();

    [Fact]
    public async Task Cookies_are_kept_and_sent_byte_for_byte_and_redirects_are_shown()
    {
        var visitor = new Visitor();
        using var answer = await visitor.GetAsync(_address, "set");
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal(["__Host-s=a%2Fb; Path=/; Secure", "t=1; Path=/"], visitor.LastSetCookies);
        Assert.Equal("__Host-s=a%2Fb; t=1", await visitor.GetStringAsync(_address, "cookies"));
        Assert.Empty(visitor.LastSetCookies);
        Assert.Equal("__Host-s=a%2Fb; t=1", await visitor.Clone().GetStringAsync(_address, "cookies"));
    }

    [Fact]
    public async Task Redirects_are_followed_on_request_with_the_new_cookies()
        => Assert.Equal("__Host-s=a%2Fb; t=1", await new Visitor { FollowRedirects = true }.GetStringAsync(_address, "set"));

    [Fact]
    public async Task A_redirect_that_keeps_the_method_keeps_the_body()
    {
        using var answer = await new Visitor { FollowRedirects = true }.PostFormAsync(_address, "kept", ("a", "b c"));
        Assert.Equal("application/x-www-form-urlencoded a=b+c", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Json_is_posted_as_json()
    {
        using var answer = await new Visitor().PostJsonAsync(_address, "echo", new { a = 1 });
        Assert.Equal("application/json; charset=utf-8 {\"a\":1}", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_redirect_loop_ends()
        => await Assert.ThrowsAsync<HttpRequestException>(() => new Visitor { FollowRedirects = true }.GetAsync(_address, "loop"));
}
