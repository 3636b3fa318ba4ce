using System.Net;
using Affinity.Sessions;
using Affinity.Tests.Sessions.NearCaching;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>What a visitor and an app get to see when the store has lost something that nobody remembers.</summary>
public sealed class LostWritePolicyTests
{
    private readonly Visitor _visitor = new();
    private LossyStore? _store;

    [Fact]
    public async Task By_default_the_request_goes_on_with_what_there_is_and_the_app_can_tell()
    {
        await using var app = await StartAsync(LostWritePolicy.Tell);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        Assert.Equal("None 1", await _visitor.GetStringAsync(app.Address, "/loss/x"));
        var mark = _store!.Mark;
        await _visitor.PostAsync(app.Address, "/set/x/2");
        await _store.GoBackAsync(mark);

        Assert.Equal("Behind 1", await _visitor.GetStringAsync(app.Address, "/loss/x"));
        _store.LoseEverything();
        Assert.Equal("Lost ", await _visitor.GetStringAsync(app.Address, "/loss/x"));
        await _visitor.PostAsync(app.Address, "/set/x/3");
        Assert.Equal("None 3", await _visitor.GetStringAsync(app.Address, "/loss/x"));
    }

    [Fact]
    public async Task Where_it_is_asked_for_the_first_request_that_uses_a_lost_session_is_refused_and_the_next_visit_begins_anew()
    {
        await using var app = await StartAsync(LostWritePolicy.Fail);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        _store!.LoseEverything();

        using var unused = await _visitor.GetAsync(app.Address, "/untouched");
        Assert.Equal((HttpStatusCode.OK, 0), (unused.StatusCode, _visitor.LastSetCookies.Count));
        using var refused = await _visitor.PostAsync(app.Address, "/set/x/2");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("lost", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Equal("None ", await _visitor.GetStringAsync(app.Address, "/loss/x"));
        await _visitor.PostAsync(app.Address, "/set/x/3");
        Assert.Equal("None 3", await _visitor.GetStringAsync(app.Address, "/loss/x"));
    }

    [Fact]
    public async Task Where_it_is_asked_for_the_first_request_that_uses_an_older_session_is_refused_and_the_next_one_goes_on_with_it()
    {
        await using var app = await StartAsync(LostWritePolicy.Fail);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        var mark = _store!.Mark;
        await _visitor.PostAsync(app.Address, "/set/x/2");
        await _store.GoBackAsync(mark);

        using var refused = await _visitor.GetAsync(app.Address, "/loss/x");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);

        Assert.Equal("None 1", await _visitor.GetStringAsync(app.Address, "/loss/x"));
        await _visitor.PostAsync(app.Address, "/set/x/3");
        Assert.Equal("None 3", await _visitor.GetStringAsync(app.Address, "/loss/x"));
    }

    [Fact]
    public async Task A_node_that_remembers_the_session_neither_tells_nor_refuses_anything()
    {
        await using var app = await StartAsync(LostWritePolicy.Fail, remembers: true);
        await _visitor.PostAsync(app.Address, "/set/x/1");
        _store!.LoseEverything();
        await _visitor.PostAsync(app.Address, "/set/y/1");
        _store.LoseEverything();
        app.Time.Advance(NearSample.MaxAge);

        Assert.Equal("None 1", await _visitor.GetStringAsync(app.Address, "/loss/x"));
        Assert.Equal("None 1", await _visitor.GetStringAsync(app.Address, "/loss/y"));
    }

    private Task<PipelineApp> StartAsync(LostWritePolicy policy, bool remembers = false) => PipelineApp.StartAsync(
        app =>
        {
            app.MapGet("/untouched", () => "ok");
            app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
            app.MapGet("/loss/{key}", (HttpContext context, string key) => $"{context.GetAffinity().Loss} {context.Session.GetString(key)}");
        },
        options => (options.Sessions.OnLostWrite, options.Sessions.NearCache.Enabled) = (policy, remembers),
        builder => builder.Services.AddSingleton<ISessionStore>(provider => _store ??= new LossyStore((ManualTime)provider.GetRequiredService<TimeProvider>())));
}
