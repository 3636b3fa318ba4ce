using System.Net;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.Journaling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>How many items and how long a key: for those who write, not for those who read.</summary>
public sealed class SessionCapsTests : IAsyncLifetime
{
    private const string LongKey = "a-key-that-is-longer-than-it-may-be";

    private readonly JournalFarm _farm = new();
    private readonly Visitor _visitor = new();
    private readonly Dictionary<string, Exception> _failures = [];
    private PipelineApp _strict = null!;
    private PipelineApp _generous = null!;

    public async Task InitializeAsync()
    {
        _strict = await _farm.StartAsync(options => (options.Sessions.MaxItems, options.Sessions.MaxKeyBytes) = (3, 16), map: Map);
        _generous = await _farm.StartAsync(map: Map);
    }

    public Task DisposeAsync() => _farm.StopAsync();

    [Fact]
    public async Task One_item_too_many_is_an_error_that_names_it_and_the_cure_and_keeps_what_was_there()
    {
        await PostAsync(_strict, "/set/a/1", HttpStatusCode.OK);
        await PostAsync(_strict, "/set/b/1", HttpStatusCode.OK);
        await PostAsync(_strict, "/set/c/1", HttpStatusCode.OK);

        await PostAsync(_strict, "/try/one-too-many/secret", HttpStatusCode.InternalServerError);

        var e = Assert.IsType<SessionTooLargeException>(_failures["one-too-many"]);
        Assert.Equal((4, 3), (e.Size, e.Limit));
        Assert.Contains("'one-too-many' is one too many", e.Message, StringComparison.Ordinal);
        Assert.Contains("Affinity:Sessions:MaxItems", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
        Assert.Equal("a,b,c", await _visitor.ReadAsync(_strict, "/keys"));
        Assert.Contains(_farm.Log.Entries, line => line.Event.Name == "SessionTooLarge" && line.Message.Contains("4 items, 3 are allowed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_that_is_too_long_is_an_error_when_it_is_set_that_names_it_and_the_cure()
    {
        await PostAsync(_strict, "/set/abcdefghijklmnop/1", HttpStatusCode.OK);
        await PostAsync(_strict, "/try/ключ-ключ/secret", HttpStatusCode.InternalServerError);
        await PostAsync(_strict, $"/try/{LongKey}/secret", HttpStatusCode.InternalServerError);
        await PostAsync(_strict, $"/count/{LongKey}", HttpStatusCode.InternalServerError);

        Assert.Equal((17, 16), (((SessionTooLargeException)_failures["ключ-ключ"]).Size, ((SessionTooLargeException)_failures["ключ-ключ"]).Limit));
        Assert.Equal(
            $"A session key takes 35 bytes, 16 are allowed: '{LongKey}'. Use a short name and put what is long into the value, or raise Affinity:Sessions:MaxKeyBytes.", _failures[LongKey].Message);
        Assert.Equal("abcdefghijklmnop", await _visitor.ReadAsync(_strict, "/keys"));
    }

    [Fact]
    public async Task What_a_node_with_other_settings_has_stored_is_read_changed_and_removed_and_only_does_not_grow()
    {
        foreach (var key in (string[])["a", "b", "c", "d", LongKey])
        {
            await PostAsync(_generous, $"/set/{key}/1", HttpStatusCode.OK);
        }

        Assert.Equal($"a,{LongKey},b,c,d", await _visitor.ReadAsync(_strict, "/keys"));
        Assert.Equal("1", await _visitor.ReadAsync(_strict, $"/get/{LongKey}"));
        await PostAsync(_strict, "/set/a/2", HttpStatusCode.OK);
        await PostAsync(_strict, "/try/e/1", HttpStatusCode.InternalServerError);
        await PostAsync(_strict, $"/remove/{LongKey}", HttpStatusCode.OK);
        await PostAsync(_strict, "/remove/d", HttpStatusCode.OK);

        Assert.Equal("a,b,c", await _visitor.ReadAsync(_generous, "/keys"));
        Assert.Equal("2", await _visitor.ReadAsync(_generous, "/get/a"));
    }

    /// <summary>It was answered as kept, rode in the cookie, and was dropped when the store was back.</summary>
    [Theory]
    [InlineData("/try/d/1", 3)]
    [InlineData("/large/a", 1000)]
    public async Task What_is_too_large_to_save_is_not_journaled_either(string path, int maxItems)
    {
        var node = await _farm.StartAsync(options => (options.Sessions.MaxItems, options.Sessions.MaxBytes) = (maxItems, 1024), map: Map);
        foreach (var key in (string[])["a", "b", "c"])
        {
            await PostAsync(node, $"/set/{key}/1", HttpStatusCode.OK);
        }

        node.Store.Break();
        await PostAsync(node, "/set/c/2", HttpStatusCode.OK);
        await PostAsync(node, path, HttpStatusCode.InternalServerError);
        _farm.Heal(node);

        Assert.Equal("a,b,c", await _visitor.ReadAsync(node, "/keys"));
        Assert.Equal("2", await _visitor.ReadAsync(node, "/get/c"));
    }

    [Theory]
    [InlineData("line\r\nbreak", "'line??break'")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx🔑🔑", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'")]
    public void A_key_is_shown_on_one_line_and_shortened_between_letters(string key, string shown)
    {
        var e = Assert.Throws<SessionTooLargeException>(() => SessionCaps.ThrowIfKeyTooLong(key, new SessionsOptions { MaxKeyBytes = 4 }));

        Assert.Contains(shown, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_out_of_range_are_told_with_their_cure()
    {
        Assert.Empty(SessionsOptionsValidator.Faults(new SessionsOptions { MaxItems = 1, MaxKeyBytes = 16 }));
        Assert.Empty(SessionsOptionsValidator.Faults(new SessionsOptions { MaxItems = 1_000_000, MaxKeyBytes = 65_535 }));
        Assert.Equal(
            ["Affinity:Sessions:MaxItems must be from 1 to 1,000,000.", "Affinity:Sessions:MaxKeyBytes must be from 16 to 65,535."],
            SessionsOptionsValidator.Faults(new SessionsOptions { MaxItems = 0, MaxKeyBytes = 15 }));
        Assert.Equal(2, SessionsOptionsValidator.Faults(new SessionsOptions { MaxItems = 1_000_001, MaxKeyBytes = 65_536 }).Count());
    }

    private void Map(WebApplication app)
    {
        app.MapPost("/try/{key}/{value}", (HttpContext context, string key, string value) => TryAsync(context, key, () => context.Session.SetString(key, value)));
        app.MapPost("/count/{key}", (HttpContext context, string key) => TryAsync(context, key, () => context.Session.Update<int>(key, old => old + 1)));
        app.MapPost("/large/{key}", (HttpContext context, string key) => TryAsync(context, key, () => context.Session.SetString(key, new string('x', 1000))));
    }

    private async Task TryAsync(HttpContext context, string key, Action change)
    {
        try
        {
            change();
            await context.Session.CommitAsync();
        }
        catch (Exception e)
        {
            _failures[key] = e;
            throw;
        }
    }

    private async Task PostAsync(PipelineApp node, string path, HttpStatusCode expected)
    {
        using var response = await _visitor.PostAsync(node.Address, path);
        Assert.Equal(expected, response.StatusCode);
    }
}
