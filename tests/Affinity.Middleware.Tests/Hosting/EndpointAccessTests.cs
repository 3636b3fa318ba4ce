using System.Net;
using Affinity.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary>Who may use the endpoints: nobody by accident.</summary>
public sealed class EndpointAccessTests
{
    private const string Nodes = "/affinity/nodes";
    private const string Drain = "/affinity/nodes/a/drain";

    [Fact]
    public async Task Nothing_is_mapped_unless_the_app_asks()
    {
        await using var app = await OperatorApp.StartAsync(_ => { });
        using var answer = await app.SendAsync(HttpMethod.Get, Nodes);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public void An_app_that_says_not_who_may_does_not_start_and_is_told_how(string environment)
    {
        using IDisposable app = OperatorApp.Builder(environment).Build();

        var fault = Assert.Throws<InvalidOperationException>(() => ((WebApplication)app).MapAffinity());

        Assert.Contains("Affinity:Endpoints:Policy", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Affinity:Endpoints:AllowAnonymousInDevelopment", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>A container that runs as Development by mistake would be open to everybody without a word.</summary>
    [Fact]
    public async Task Whoever_lets_anybody_in_is_told_so_at_the_start()
    {
        var log = new LogLines();
        await using var open = await OperatorApp.StartAsync(build: builder => builder.Logging.AddProvider(log));
        Assert.Contains("AllowAnonymousInDevelopment", log.TextOf("EndpointsOpen"), StringComparison.Ordinal);

        var quiet = new LogLines();
        await using var closed = await OperatorApp.StartAsync(
            app => app.MapAffinity("operators"),
            builder =>
            {
                builder.Logging.AddProvider(quiet);
                OperatorApp.AddOperators(builder);
            });
        Assert.Equal(0, quiet.Count("EndpointsOpen"));
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task The_switch_for_development_stops_an_app_that_is_elsewhere(string environment)
    {
        await using var app = OperatorApp.Builder(environment, ("Endpoints:AllowAnonymousInDevelopment", "true"), ("Endpoints:Policy", "operators")).Build();

        var whenMapped = Assert.Throws<OptionsValidationException>(() => app.MapAffinity());
        var atTheStart = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync());

        Assert.All([whenMapped, atTheStart], fault => Assert.Contains("appsettings.Development.json", Assert.Single(fault.Failures), StringComparison.Ordinal));
    }

    [Fact]
    public void A_policy_without_authorization_is_a_fault_that_names_the_cure()
    {
        using IDisposable app = OperatorApp.Builder("Production", ("Endpoints:Policy", "operators")).Build();

        var fault = Assert.Throws<InvalidOperationException>(() => ((WebApplication)app).MapAffinity());

        Assert.Contains("'operators'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("AddAuthorization", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_does_not_exist_is_a_fault_that_names_it()
    {
        var builder = OperatorApp.Builder("Production", ("Endpoints:Policy", "operators"));
        OperatorApp.AddOperators(builder);
        using IDisposable app = builder.Build();

        var fault = Assert.Throws<InvalidOperationException>(() => ((WebApplication)app).MapAffinity("opreators"));

        Assert.Contains("'opreators', which does not exist", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_policy_and_a_missing_line_are_refused()
    {
        using IDisposable app = OperatorApp.Builder("Production").Build();
        using IDisposable bare = WebApplication.CreateSlimBuilder().Build();

        Assert.ThrowsAny<ArgumentException>(() => ((WebApplication)app).MapAffinity(" "));
        Assert.Contains("builder.AddAffinity()", Assert.Throws<InvalidOperationException>(() => ((WebApplication)bare).MapAffinity()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_policy_decides_who_may(bool inCode)
    {
        await using var app = await OperatorApp.StartAsync(
            app => _ = inCode ? app.MapAffinity("operators") : app.MapAffinity(), OperatorApp.AddOperators, ("Endpoints:Policy", inCode ? "nobody" : "operators"));

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), await AskAsync(app, name: ""));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), await AskAsync(app, name: "ann"));
        Assert.Equal(NodeState.Active, app.Node.State);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Accepted), await AskAsync(app, name: "operator"));
        Assert.Equal(NodeState.Draining, app.Node.State);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Origin", "https://evil.example")]
    public async Task A_page_of_another_site_cannot_command_in_an_operators_name(string header, string value)
    {
        await using var app = await OperatorApp.StartAsync(app => app.MapAffinity("operators"), OperatorApp.AddOperators);

        using var answer = await app.SendAsync(HttpMethod.Post, Drain, ("X-Name", "operator"), (header, value));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(NodeState.Active, app.Node.State);
        Assert.Empty(app.Log.Events);
    }

    [Fact]
    public async Task A_get_commands_nothing()
    {
        await using var app = await OperatorApp.StartAsync();
        using var answer = await app.SendAsync(HttpMethod.Get, Drain);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task The_switch_lets_anybody_in_past_a_fallback_policy_of_the_app()
    {
        await using var app = await OperatorApp.StartAsync(build: builder =>
        {
            OperatorApp.AddOperators(builder);
            builder.Services.AddAuthorization(o => o.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        });
        using var home = await app.SendAsync(HttpMethod.Get, "/");

        Assert.Equal(HttpStatusCode.Unauthorized, home.StatusCode);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Accepted), await AskAsync(app, name: ""));
    }

    [Fact]
    public async Task A_policy_provider_that_has_to_ask_elsewhere_does_not_keep_the_app_from_starting()
    {
        await using var app = await OperatorApp.StartAsync(app => app.MapAffinity("operators"), builder =>
        {
            OperatorApp.AddOperators(builder);
            builder.Services.AddSingleton<IAuthorizationPolicyProvider, SlowPolicies>();
        });

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Accepted), await AskAsync(app, name: "operator"));
    }

    private static async Task<(HttpStatusCode Status, HttpStatusCode Command)> AskAsync(OperatorApp app, string name)
    {
        using var status = await app.SendAsync(HttpMethod.Get, Nodes, ("X-Name", name));
        using var command = await app.SendAsync(HttpMethod.Post, Drain, ("X-Name", name));
        return (status.StatusCode, command.StatusCode);
    }

    private sealed class SlowPolicies(IOptions<AuthorizationOptions> options) : IAuthorizationPolicyProvider
    {
        private readonly DefaultAuthorizationPolicyProvider _policies = new(options);

        public Task<AuthorizationPolicy> GetDefaultPolicyAsync() => _policies.GetDefaultPolicyAsync();

        public Task<AuthorizationPolicy?> GetFallbackPolicyAsync() => _policies.GetFallbackPolicyAsync();

        public async Task<AuthorizationPolicy?> GetPolicyAsync(string policyName)
        {
            await Task.Yield();
            return await _policies.GetPolicyAsync(policyName);
        }
    }
}
