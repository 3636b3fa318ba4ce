using System.Net;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions.Journaling;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>A journal may be spread over several cookies too.</summary>
public sealed class LongJournalTests : IAsyncLifetime
{
    private readonly JournalFarm _farm = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _farm.StopAsync();

    [Fact]
    public async Task What_the_store_cannot_be_told_has_room_in_several_cookies_which_go_when_it_is_told()
    {
        var (one, other) = (await _farm.StartAsync(options => options.Ticket.MaxBytes = 16_000), await _farm.StartAsync());
        var visitor = new Visitor();
        await visitor.PostedAsync(one, "/set/x/1");
        one.Store.Break();
        await visitor.PostedAsync(one, "/big/y/8000");
        Assert.NotNull(visitor.Cookies[JournalFarm.Cookie + "-3"]);
        _farm.Heal(one);

        // Also on a node that would write no such ticket.
        Assert.Equal("x,y", await visitor.ReadAsync(other, "/keys"));
        Assert.Equal(HttpStatusCode.OK, await visitor.StatusOfGetAsync(other, "/get/x"));
        Assert.Equal([JournalFarm.Cookie], visitor.Cookies.All().Select(cookie => cookie.Name).Where(name => name.StartsWith(JournalFarm.Cookie, StringComparison.Ordinal)));
    }
}
