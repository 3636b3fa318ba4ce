using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Xunit;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>Requests of one session share what the node remembers; none can change it under another but by saving.</summary>
public sealed class SharedSnapshotTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Visitor _visitor = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new(StringComparer.Ordinal);

    [Fact]
    public async Task What_a_request_changes_is_not_seen_by_another_before_it_is_saved()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/old");
        var changing = _visitor.PostAsync(app.Address, "/hold/x/new");
        await Gate("entered").Task.WaitAsync(Patience);

        Assert.Equal(("old", "x"), (await _visitor.GetStringAsync(app.Address, "/get/x"), await _visitor.GetStringAsync(app.Address, "/keys")));
        Gate("go").SetResult();
        (await changing).EnsureSuccessStatusCode();

        Assert.Equal(("new", "added,x"), (await _visitor.GetStringAsync(app.Address, "/get/x"), await _visitor.GetStringAsync(app.Address, "/keys")));
        Assert.Equal(0, app.Store.Reads);
    }

    [Fact]
    public async Task What_a_request_changes_and_does_not_save_is_never_seen()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/old");

        using var failed = await _visitor.PostAsync(app.Address, "/fail/x/new");

        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Equal(("old", "x"), (await _visitor.GetStringAsync(app.Address, "/get/x"), await _visitor.GetStringAsync(app.Address, "/keys")));
        Assert.Equal(0, app.Store.Reads);
    }

    [Fact]
    public async Task A_request_goes_on_seeing_what_it_began_with_while_another_saves()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x/old");
        var reading = _visitor.PostAsync(app.Address, "/hold-and-get/x");
        await Gate("entered").Task.WaitAsync(Patience);

        await _visitor.PostAsync(app.Address, "/set/x/new");
        Gate("go").SetResult();

        Assert.Equal("old", await (await reading).Content.ReadAsStringAsync());
        Assert.Equal("new", await _visitor.GetStringAsync(app.Address, "/get/x"));
    }

    [Theory]
    [InlineData("/scribble-on-read/x")]
    [InlineData("/scribble-after-set/x")]
    [InlineData("/scribble-after-save/x")]
    [InlineData("/scribble-on-own-read/x")]
    [InlineData("/scribble-on-typed/x")]
    [InlineData("/scribble-in-update/x")]
    public async Task Scribbling_on_an_array_that_came_from_the_session_or_went_into_it_changes_nothing(string path)
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/bytes/x");

        (await _visitor.PostAsync(app.Address, path)).EnsureSuccessStatusCode();

        var held = await _visitor.GetStringAsync(app.Address, "/base64/x");
        Assert.Equal(0, app.Store.Reads);
        await _visitor.PostAsync(app.Address, "/forget");
        var stored = await _visitor.GetStringAsync(app.Address, "/base64/x");
        Assert.Equal((1, stored), (app.Store.Reads, held));
        Assert.DoesNotContain("////", held, StringComparison.Ordinal);
    }

    private TaskCompletionSource Gate(string name) => _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private static byte[] Fresh() => [.. Enumerable.Repeat((byte)'1', 12)];

    private Task<PipelineApp> StartAsync() => PipelineApp.StartAsync(routes =>
    {
        routes.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
        routes.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key));
        routes.MapGet("/keys", (HttpContext context) => string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal)));
        routes.MapPost("/hold/{key}/{value}", async (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Session.SetString("added", value);
            Gate("entered").SetResult();
            await Gate("go").Task.WaitAsync(Patience);
        });
        routes.MapPost("/hold-and-get/{key}", async (HttpContext context, string key) =>
        {
            Gate("entered").SetResult();
            await Gate("go").Task.WaitAsync(Patience);
            return context.Session.GetString(key);
        });
        routes.MapPost("/fail/{key}/{value}", void (HttpContext context, string key, string value) =>
        {
            context.Session.SetString(key, value);
            context.Session.SetString("added", value);
            throw new InvalidOperationException("The handler fails on purpose.");
        });
        MapScribblers(routes);
    });

    private static void MapScribblers(WebApplication routes)
    {
        routes.MapPost("/bytes/{key}", (HttpContext context, string key) => context.Session.Set(key, Fresh()));
        routes.MapPost("/forget", (HttpContext context, [FromServices] NearCache near) => near.Refuse(context.Features.Get<AffinitySession>()!.Key));
        routes.MapGet("/base64/{key}", (HttpContext context, string key) => Convert.ToBase64String(context.Session.Get(key)!));
        routes.MapPost("/scribble-on-read/{key}", (HttpContext context, string key) =>
        {
            Assert.True(context.Session.TryGetValue(key, out var value));
            Array.Fill(value, byte.MaxValue);
        });
        routes.MapPost("/scribble-after-set/{key}", (HttpContext context, string key) =>
        {
            var mine = Fresh();
            context.Session.Set(key, mine);
            Array.Fill(mine, byte.MaxValue);
        });
        routes.MapPost("/scribble-after-save/{key}", async (HttpContext context, string key) =>
        {
            var mine = Fresh();
            context.Session.Set(key, mine);
            await context.Session.CommitAsync();
            Array.Fill(mine, byte.MaxValue);
        });
        routes.MapPost("/scribble-on-own-read/{key}", (HttpContext context, string key) =>
        {
            context.Session.Set(key, Fresh());
            Array.Fill(context.Session.Get(key)!, byte.MaxValue);
        });
        routes.MapPost("/scribble-on-typed/{key}", (HttpContext context, string key) =>
        {
            context.Session.Set(key, JsonSerializer.SerializeToUtf8Bytes(Fresh()));
            Array.Fill(context.Session.Get<byte[]>(key)!, byte.MaxValue);
        });
        routes.MapPost("/scribble-in-update/{key}", async (HttpContext context, string key) =>
        {
            context.Session.Set(key, JsonSerializer.SerializeToUtf8Bytes(Fresh()));
            await context.Session.CommitAsync();
            var seen = context.Session.Update<byte[]>(key, old =>
            {
                Array.Fill(old!, byte.MaxValue);
                return Fresh();
            });
            Array.Fill(seen!, byte.MaxValue);
        });
    }
}
