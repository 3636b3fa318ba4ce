using System.Diagnostics.Metrics;
using Affinity.Diagnostics;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class TicketMiddlewareTests
{
    private readonly ManualTime _time = new(Sample.Now);
    private TicketReading? _seen;

    [Fact]
    public async Task A_visitor_without_a_ticket_gets_an_untouched_response()
    {
        await using var host = await StartAsync();
        using var response = await host.GetAsync("other=1");
        Assert.Same(TicketReading.None, _seen);
        Assert.Empty(response.Headers);
    }

    [Fact]
    public async Task An_issued_ticket_is_read_back()
    {
        await using var host = await StartAsync(feature => feature.Issue(Sample.Ticket()));
        using var first = await host.GetAsync();
        var cookie = Assert.Single(first.Headers.GetValues("Set-Cookie"));
        Assert.Equal($"__Host-affinity={host.Sign(Sample.Ticket())}; Path=/; Secure; HttpOnly; SameSite=Lax", cookie);
        Assert.Equal("no-store", first.Headers.CacheControl!.ToString());
        Assert.Equal("Cookie", Assert.Single(first.Headers.Vary));

        using var second = await host.GetAsync("a=1; " + cookie.Split(';')[0]);
        Assert.Equal((TicketVerdict.Valid, Sample.Ticket()), (_seen!.Verdict, _seen.Ticket));
    }

    [Fact]
    public async Task A_valid_ticket_alone_changes_nothing_on_the_response()
    {
        await using var host = await StartAsync();
        using var response = await host.GetAsync("__Host-affinity=" + host.Sign(Sample.Ticket()));
        Assert.Empty(response.Headers);
    }

    /// <summary>It was refused: one node whose clock was six minutes behind gave every visitor that it met a new, empty session.</summary>
    [Fact]
    public async Task A_node_whose_clock_is_behind_signs_nobody_out_and_warns_once()
    {
        var log = new LogLines();
        await using var host = await TicketHost.StartAsync(
            context =>
            {
                _seen = context.Features.Get<TicketFeature>()!.Reading;
                return Task.CompletedTask;
            },
            _time,
            logs: log);
        var ahead = Sample.Ticket() with { Issued = Sample.Now.AddMinutes(6) };

        (await host.GetAsync("__Host-affinity=" + host.Sign(ahead))).Dispose();
        (await host.GetAsync("__Host-affinity=" + host.Sign(ahead))).Dispose();

        Assert.Equal((TicketVerdict.Valid, TicketReasons.IssuedAhead, ahead), (_seen!.Verdict, _seen.Reason, _seen.Ticket));
        Assert.Single(log.Entries, entry => entry.Level == LogLevel.Warning);
    }

    [Fact]
    public async Task A_removed_ticket_is_expired()
    {
        await using var host = await StartAsync(feature => feature.Remove());
        using var response = await host.GetAsync("__Host-affinity=" + host.Sign(Sample.Ticket()));
        Assert.EndsWith("Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_word_before_the_first_byte_wins()
    {
        await using var host = await StartAsync(feature =>
        {
            feature.Remove();
            feature.Issue(Sample.Ticket());
        });
        using var response = await host.GetAsync();
        Assert.Contains(host.Sign(Sample.Ticket()), Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_later_stage_issues_while_the_response_starts()
    {
        await using var host = await TicketHost.StartAsync(
            async context =>
            {
                var feature = context.Features.Get<TicketFeature>()!;
                context.Response.OnStarting(() =>
                {
                    feature.Issue(Sample.Ticket());
                    return Task.CompletedTask;
                });
                await context.Response.WriteAsync("body");
                await context.Response.Body.FlushAsync();
            },
            _time);
        using var response = await host.GetAsync();
        Assert.Single(response.Headers.GetValues("Set-Cookie"));
    }

    [Fact]
    public async Task Garbage_is_refused_without_an_error_page()
    {
        await using var host = await StartAsync();
        foreach (var garbage in new[] { "", "x", "=", "\"", "%00", new string('A', 5000), host.Sign(Sample.Ticket())[..^1] })
        {
            using var response = await host.GetAsync("__Host-affinity=" + garbage);
            Assert.True(response.IsSuccessStatusCode);
            Assert.Equal(TicketVerdict.Refused, _seen!.Verdict);
            Assert.Empty(response.Headers);
        }
    }

    [Fact]
    public async Task While_the_vault_is_away_a_ticket_is_kept_and_the_node_is_not_ready()
    {
        var vault = new ScriptedVault { IsAway = true };
        await using var host = await StartAsync(vault: vault);
        Assert.NotNull(host.Readiness.NotReadyBecause());
        var ticket = Sample.Codec(_time).Encode(Sample.Ticket(), Sample.Key());
        using var response = await host.GetAsync("__Host-affinity=" + ticket);
        Assert.Equal(TicketVerdict.Unverifiable, _seen!.Verdict);
        Assert.Empty(response.Headers);

        vault.IsAway = false;
        await _time.WaitForArmedTimersAsync(1);
        while (host.Readiness.NotReadyBecause() is not null)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_ticket_that_could_not_be_verified_is_neither_replaced_nor_removed(bool issue)
    {
        var vault = new ScriptedVault();
        await using var host = await StartAsync(
            feature =>
            {
                if (issue)
                {
                    feature.Issue(Sample.Ticket());
                }
                else
                {
                    feature.Remove();
                }
            },
            vault);

        // This node can sign, but it cannot ask for the key of another one.
        vault.IsAway = true;
        _time.Advance(TimeSpan.FromSeconds(2));
        var ticket = Sample.Codec(_time).Encode(Sample.Ticket(), Sample.Key());
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.GetAsync("__Host-affinity=" + ticket));
        Assert.Contains("could not be verified", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_signing_key_a_ticket_is_an_error_and_not_a_silent_loss()
    {
        await using var host = await StartAsync(feature => feature.Issue(Sample.Ticket()), new ScriptedVault { IsAway = true });
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.GetAsync());
    }

    [Fact]
    public async Task A_key_of_another_node_is_fetched_while_the_request_waits()
    {
        var vault = new ScriptedVault();
        await using var host = await StartAsync(vault: vault);
        var foreign = RingKey.Create(Sample.Now, Sample.Now);
        vault.Put(foreign.ToElement());
        _time.Advance(TimeSpan.FromSeconds(2));
        using var response = await host.GetAsync("__Host-affinity=" + Sample.Codec(_time).Encode(Sample.Ticket(), foreign.Key));
        Assert.Equal(TicketVerdict.Valid, _seen!.Verdict);
    }

    [Fact]
    public async Task Every_reading_is_counted_by_its_reason()
    {
        await using var host = await StartAsync();
        var counted = new List<object?>();
        using var listener = new MeterListener();
        var factory = host.Services.GetRequiredService<IMeterFactory>();
        listener.InstrumentPublished = (instrument, me) =>
        {
            if (instrument.Name is "affinity.ticket.reads" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                me.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => counted.AddRange(Enumerable.Repeat(tags[0].Value, (int)value)));
        listener.Start();

        var (one, other) = (host.Sign(Sample.Ticket()), host.Sign(Sample.Ticket(counter: 8)));
        string[] cookies =
        [
            "x=1", $"t={one}", $"t={one}; t={other}", $"t={one}; t=a; t=b; t=c", "t=a; t=b; t=c; t=d", "t=!", $"t={new string('A', 138)}",
            $"t={one[..^2]}AA",
        ];
        foreach (var cookie in cookies)
        {
            using var response = await host.GetAsync(cookie.Replace("t=", "__Host-affinity=", StringComparison.Ordinal));
        }

        Assert.Equal(["valid", "ambiguous", "valid", "too_many", "too_many", "bad_length", "bad_version", "bad_mac"], counted);
    }

    [Fact]
    public async Task What_clients_send_is_logged_at_debug_and_holds_no_value()
    {
        var logs = new LogLines();
        await using var host = await StartAsync(logs: logs);
        using var response = await host.GetAsync("__Host-affinity=garbage-of-a-client");
        var entry = Assert.Single(logs.Entries, entry => entry.Event.Id is >= 2000 and < 2500);
        Assert.Equal((LogLevel.Debug, "TicketNotAccepted", "A request's ticket was not accepted: bad_length."), (entry.Level, entry.Event.Name, entry.Message));
    }

    [Fact]
    public async Task The_start_tells_what_weakens_the_tickets()
    {
        var logs = new LogLines();
        await using var host = await StartAsync(vault: new ScriptedVault(), options: new TicketOptions { InsecureAllowHttp = true }, logs: logs);
        Assert.Contains(logs.Entries, entry => entry is { Event.Name: "TicketCookieInsecure", Level: LogLevel.Warning });
        Assert.Contains(logs.Entries, entry => entry is { Event.Name: "SigningKeysInVault", Level: LogLevel.Information });
        Assert.Contains(logs.Entries, entry => entry is { Event.Name: "SigningKeyAdded", Level: LogLevel.Information });
    }

    private Task<TicketHost> StartAsync(
        Action<TicketFeature>? stage = null, ScriptedVault? vault = null, TicketOptions? options = null, LogLines? logs = null) =>
        TicketHost.StartAsync(
            context =>
            {
                var feature = context.Features.Get<TicketFeature>()!;
                _seen = feature.Reading;
                stage?.Invoke(feature);
                return Task.CompletedTask;
            },
            _time,
            vault,
            options,
            logs);
}
