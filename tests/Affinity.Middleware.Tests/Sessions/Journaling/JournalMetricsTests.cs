using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions.Journaling;

/// <summary>Every value of the tags that tell of journals comes about by what it says.</summary>
public sealed class JournalMetricsTests : IAsyncLifetime, IDisposable
{
    private readonly JournalFarm _farm = new();
    private readonly ConcurrentQueue<string> _measured = [];
    private readonly MeterListener _listener = new();
    private readonly Visitor _visitor = new();
    private PipelineApp _one = null!;
    private PipelineApp _other = null!;

    public async Task InitializeAsync()
    {
        (_one, _other) = (await _farm.StartAsync(), await _farm.StartAsync());
        var mine = _one.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, mine) && instrument.Name is "affinity.session.saves" or "affinity.session.journal.replays")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _measured.Enqueue((string)tags[0].Value!));
        _listener.Start();
        await _visitor.StatusOfPostAsync(_one, "/set/x/1");
    }

    public Task DisposeAsync() => _farm.StopAsync();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task What_is_journaled_and_replayed()
    {
        await JournalAsync();
        await _visitor.StatusOfGetAsync(_one, "/get/x");
        Heal();
        await _visitor.StatusOfGetAsync(_one, "/get/x");

        Assert.Equal(["written", "journaled", "away", "replayed"], _measured);
    }

    [Fact]
    public async Task What_has_no_room()
    {
        _one.Store.Break();
        await _visitor.StatusOfPostAsync(_one, "/big/y/3000");

        Assert.Equal(["written", "journal_full"], _measured);
    }

    [Fact]
    public async Task What_is_dropped_as_the_session_has_ended()
    {
        var tab = _visitor.Clone();
        await JournalAsync();
        await tab.StatusOfPostAsync(_other, "/abandon");
        await AssertReplayedAsAsync("ended");
    }

    [Fact]
    public async Task What_is_dropped_as_somebody_has_signed_in()
    {
        var tab = _visitor.Clone();
        await JournalAsync();
        await tab.StatusOfPostAsync(_other, "/sign-in");
        await AssertReplayedAsAsync("superseded");
    }

    [Fact]
    public async Task What_is_over_as_nobody_came()
    {
        await JournalAsync();
        _farm.Time.Advance(TimeSpan.FromMinutes(20));
        await AssertReplayedAsAsync("expired");
    }

    [Fact]
    public async Task What_is_saved_although_the_session_is_lost()
    {
        await JournalAsync();
        _farm.Time.Advance(TimeSpan.FromMinutes(19));
        await _visitor.StatusOfPostAsync(_one, "/set/y/1");
        _farm.Time.Advance(TimeSpan.FromMinutes(2));
        await AssertReplayedAsAsync("lost");
    }

    [Fact]
    public async Task What_a_later_release_has_written_is_left_alone()
    {
        Carry([2, 1, 2, 3]);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _visitor.StatusOfPostAsync(_one, "/set/x/2"));

        Assert.Equal("unopened", _measured.Last());
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task What_is_damaged_is_refused_with_its_ticket_and_told()
    {
        Carry([1, 1, 2, 3]);

        Assert.Equal("None NotAsked lost:True available:True", await _visitor.ReadAsync(_one, "/told"));

        Assert.Equal("damaged", _measured.Last());
        Assert.Contains(_farm.Log.Entries, entry => entry.Event.Id == 4055);
        Assert.Equal(HttpStatusCode.OK, await _visitor.StatusOfPostAsync(_one, "/set/y/2"));
        Assert.Equal("y", await _visitor.ReadAsync(_other, "/keys"));
    }

    private async Task JournalAsync()
    {
        _one.Store.Break();
        Assert.Equal(HttpStatusCode.OK, await _visitor.StatusOfPostAsync(_one, "/set/x/2"));
    }

    private async Task AssertReplayedAsAsync(string outcome)
    {
        Heal();
        await _visitor.StatusOfGetAsync(_one, "/get/x");
        Assert.Equal(outcome, _measured.Last());
    }

    private void Heal() => _farm.Heal(_one);

    /// <summary>Gives the visitor's ticket a journal of these bytes, as somebody could who has all keys.</summary>
    private void Carry(byte[] journal)
    {
        var codec = _one.Services.GetRequiredService<TicketCodec>();
        var keys = _one.Services.GetRequiredService<ISigningKeys>();
        var ticket = codec.Decode(_visitor.Cookies[JournalFarm.Cookie], keys).Ticket!;
        var protector = _one.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("Affinity.Ticket.Journal", "v1", "shop", ticket.Session.ToFingerprint());
        var text = codec.Encode(ticket with { Journal = protector.Protect(journal) }, keys.Current!);
        _visitor.Cookies.Receive(_one.Address, $"{JournalFarm.Cookie}={text}; Path=/; Secure; HttpOnly");
    }
}
