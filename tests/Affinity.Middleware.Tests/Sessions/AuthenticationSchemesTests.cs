using System.Security.Claims;
using Affinity.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>Which sign-ins renew a session and which sign-outs end it, with more schemes than one, and with none.</summary>
public sealed class AuthenticationSchemesTests
{
    private readonly Visitor _visitor = new();

    [Fact]
    public async Task Signing_in_behind_a_policy_scheme_renews_the_session()
    {
        // The usual set-up of an app with cookies for pages and tokens for its API: the default scheme only forwards.
        await using var app = await StartAsync(Forwarding);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var attacker = _visitor.Clone();

        await _visitor.PostAsync(app.Address, "/sign-in/pages");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        Assert.Equal("nothing", await attacker.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task Signing_out_behind_a_policy_scheme_ends_the_session()
    {
        await using var app = await StartAsync(Forwarding);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        await _visitor.PostAsync(app.Address, "/sign-in/pages");

        await _visitor.PostAsync(app.Address, "/sign-out/pages");

        Assert.Equal("nothing", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task Signing_in_by_a_scheme_that_is_not_the_default_renews_the_session()
    {
        await using var app = await StartAsync(builder => builder.Services.AddAuthentication("pages").AddCookie("pages").AddCookie("back-office"));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var attacker = _visitor.Clone();

        await _visitor.PostAsync(app.Address, "/sign-in/back-office");

        Assert.Equal("nothing", await attacker.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task Signing_out_of_an_intermediate_scheme_leaves_the_session_alone()
    {
        // What Identity does with its external cookie at the end of every sign-in.
        await using var app = await StartAsync(builder => builder.Services.AddAuthentication("pages").AddCookie("pages").AddCookie("external"));
        await _visitor.PostAsync(app.Address, "/set/x/1");
        await _visitor.PostAsync(app.Address, "/sign-in/external");
        await _visitor.PostAsync(app.Address, "/sign-in/pages");

        await _visitor.PostAsync(app.Address, "/sign-out/external");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Fact]
    public async Task An_app_without_authentication_has_a_session_and_the_frameworks_word_on_what_is_missing()
    {
        await using var app = await StartAsync(builder => builder.Services.AddAuthorization());
        await _visitor.PostAsync(app.Address, "/set/x/1");

        Assert.Equal("1", await _visitor.GetStringAsync(app.Address, "/get/x"));
        Assert.Contains("AddAuthentication", await _visitor.GetStringAsync(app.Address, "/sign-in-message"), StringComparison.Ordinal);
    }

    private static void Forwarding(WebApplicationBuilder builder) => builder.Services
        .AddAuthentication("smart")
        .AddPolicyScheme("smart", displayName: null, o => o.ForwardDefaultSelector = _ => "pages")
        .AddCookie("pages")
        .AddCookie("tokens");

    private static Task<PipelineApp> StartAsync(Action<WebApplicationBuilder> build) => PipelineApp.StartAsync(
        app =>
        {
            app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) ?? "nothing");
            app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
            app.MapPost("/sign-in/{scheme}", (HttpContext context, string scheme) => context.SignInAsync(scheme, Ann(scheme)));
            app.MapPost("/sign-out/{scheme}", (HttpContext context, string scheme) => context.SignOutAsync(scheme));
            app.MapGet("/sign-in-message", async (HttpContext context) =>
                (await Assert.ThrowsAsync<InvalidOperationException>(() => context.SignInAsync("pages", Ann("pages")))).Message);
        },
        build: builder =>
        {
            builder.Host.UseDefaultServiceProvider(o => (o.ValidateScopes, o.ValidateOnBuild) = (true, true));
            build(builder);
        });

    private static ClaimsPrincipal Ann(string scheme) => new(new ClaimsIdentity([new Claim(ClaimTypes.Name, "Ann")], scheme));
}
