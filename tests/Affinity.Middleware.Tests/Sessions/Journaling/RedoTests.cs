using Affinity.Sessions;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>Saves that ride along in the ticket until the store says that a replica has them.</summary>
public sealed class RedoTests : IAsyncLifetime
{
    private readonly JournalFarm _farm = new();
    private readonly Visitor _visitor = new();
    private PipelineApp _one = null!;
    private PipelineApp _other = null!;
    private bool _isReplicated;

    public async Task InitializeAsync()
    {
        (_one, _other) = (await StartAsync(), await StartAsync());
        (_one.Store.Replicated, _other.Store.Replicated) = (() => Volatile.Read(ref _isReplicated), () => Volatile.Read(ref _isReplicated));
    }

    public Task DisposeAsync() => _farm.StopAsync();

    [Fact]
    public async Task They_stay_until_then_and_leave_with_the_next_answer()
    {
        await _visitor.PostAsync(_one.Address, "/set/x/1");
        var carrying = Ticket;
        Assert.Equal("1", await _visitor.ReadAsync(_one, "/get/x"));
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Equal(carrying, Ticket);

        Volatile.Write(ref _isReplicated, true);
        await SettleAsync(_other);

        Assert.True(Ticket.Length < carrying.Length);
        var settled = Ticket;
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));
        Assert.Equal(settled, Ticket);
    }

    [Fact]
    public async Task Reading_with_them_costs_no_write_and_where_the_session_is_remembered_no_trip()
    {
        await _visitor.PostAsync(_one.Address, "/set/x/1");
        var (reads, writes) = (_one.Store.Reads, _one.Store.Writes);

        Assert.Equal("1", await _visitor.ReadAsync(_one, "/get/x"));
        Assert.Equal("1", await _visitor.ReadAsync(_other, "/get/x"));

        Assert.Equal((reads, writes, 0), (_one.Store.Reads, _one.Store.Writes, _other.Store.Writes));
    }

    [Fact]
    public async Task An_update_that_rides_along_is_not_counted_again()
    {
        for (var i = 0; i < 20; i++)
        {
            await _visitor.PostAsync((i % 2 == 0 ? _one : _other).Address, "/add/n");
        }

        Assert.Equal("lost:False available:True", (await _visitor.ReadAsync(_other, "/told"))[^"lost:False available:True".Length..]);
        Assert.Equal("21", await (await _visitor.PostAsync(_one.Address, "/add/n")).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task They_go_on_riding_along_when_the_store_goes_away_and_change_nothing_twice()
    {
        await _visitor.PostAsync(_one.Address, "/set/x/1");
        _one.Store.Break();
        (await _visitor.PostAsync(_one.Address, "/set/y/1")).EnsureSuccessStatusCode();
        Assert.Equal("x,y", await _visitor.ReadAsync(_one, "/keys"));
        _farm.Heal(_one);

        Assert.Equal("x,y", await _visitor.ReadAsync(_other, "/keys"));
        Assert.Equal("x,y", await _visitor.ReadAsync(_one, "/keys"));
    }

    [Fact]
    public async Task What_has_no_room_does_not_ride_along()
    {
        await _visitor.PostAsync(_one.Address, "/set/x/1");
        var carrying = Ticket;

        (await _visitor.PostAsync(_one.Address, "/big/y/4000")).EnsureSuccessStatusCode();

        Assert.True(Ticket.Length < carrying.Length);
        Assert.Equal("x,y", await _visitor.ReadAsync(_other, "/keys"));
    }

    private string Ticket => _visitor.Cookies[JournalFarm.Cookie]!;

    private Task<PipelineApp> StartAsync() => _farm.StartAsync(options => options.Sessions.Durability = SessionDurability.Replicated);

    /// <summary>The question is asked in the background: by and by an answer has the smaller ticket.</summary>
    private async Task SettleAsync(PipelineApp node)
    {
        for (var (before, tries) = (Ticket, 0); Ticket == before; tries++)
        {
            Assert.True(tries < 1000, "The ticket stays as it is.");
            _farm.Time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal("1", await _visitor.ReadAsync(node, "/get/x"));
        }
    }
}
