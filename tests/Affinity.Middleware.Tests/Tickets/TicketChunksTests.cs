using Affinity.TestKit;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Tickets;

/// <summary>A ticket that has no room in one cookie: spread over several, and joined as a whole or not at all.</summary>
public sealed class TicketChunksTests
{
    private const string Name = Sample.CookieName;

    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly ManualTime _time = new(Sample.Now);

    [Fact]
    public void Up_to_the_length_of_one_cookie_it_is_one_as_it_always_was()
    {
        var text = new string('A', TicketChunks.MaxCookieLength - Name.Length - 1);
        Assert.Equal([new(Name, text)], TicketChunks.Spread(Name, text));
        Assert.Equal(2, TicketChunks.Spread(Name, text + "A").Count);
    }

    [Fact]
    public void Every_length_comes_back_and_every_cookie_is_one_that_browsers_keep()
    {
        for (var length = 1; length <= TicketChunks.Capacity(Name, 16_000); length += 37)
        {
            var text = Text(length);
            var cookies = TicketChunks.Spread(Name, text);
            Assert.All(cookies, cookie => Assert.InRange(cookie.Key.Length + 1 + cookie.Value.Length, 1, TicketChunks.MaxCookieLength));
            Assert.All(cookies, cookie => Assert.True(cookie.Value.Length > 0));
            Assert.Equal(cookies.Count > 1, TicketChunks.IsHead(cookies[0].Value));
            if (cookies.Count > 1)
            {
                Assert.Equal(text, TicketChunks.Join(cookies[0].Value, Header(cookies), Name).Text);
            }
        }
    }

    [Theory]
    [InlineData(400)]
    [InlineData(4050)]
    [InlineData(4051)]
    [InlineData(4070)]
    [InlineData(8100)]
    [InlineData(8110)]
    [InlineData(16_000)]
    public void As_much_as_fits_takes_as_much_as_there_is(int maxBytes)
    {
        var most = TicketChunks.Capacity(Name, maxBytes);
        var total = Total(TicketChunks.Spread(Name, Text(most)));
        Assert.True(total <= maxBytes);
        Assert.True(Total(TicketChunks.Spread(Name, Text(most + 1))) > maxBytes);
    }

    [Fact]
    public void What_has_no_room_in_all_of_them_is_not_written()
    {
        var most = TicketChunks.Capacity(Name, int.MaxValue);
        Assert.Equal(TicketChunks.Max, TicketChunks.Spread(Name, Text(most)).Count);
        Assert.Throws<InvalidOperationException>(() => TicketChunks.Spread(Name, Text(most + 1)));
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("..a")]
    [InlineData(".2")]
    [InlineData(".2a.b")]
    [InlineData(".0.a")]
    [InlineData(".1.a")]
    [InlineData(".5.a")]
    [InlineData(".9.a")]
    [InlineData(".02.a")]
    [InlineData(".22.a")]
    [InlineData(".+2.a")]
    [InlineData(". 2.a")]
    [InlineData(".-2.a")]
    [InlineData(".2147483647.a")]
    [InlineData(".99999999999999999999.a")]
    [InlineData(".２.a")]
    public void A_count_that_no_ticket_has_is_refused(string head)
    {
        Assert.True(TicketChunks.IsHead(head));
        Assert.Equal(TicketReasons.ChunkCount, TicketChunks.Join(head, $"{Name}={head}; {Name}-2=b; {Name}-3=c; {Name}-4=d", Name).Reason);
    }

    [Fact]
    public async Task A_long_ticket_is_read_back_whatever_lies_between_and_behind_its_cookies()
    {
        var (_, cookies) = LongTicket();
        await AssertAsync(TicketReasons.Valid, cookies);
        await AssertAsync(TicketReasons.Valid, [.. cookies.Reverse()]);
        await AssertAsync(TicketReasons.Valid, [.. cookies, new("other", "1"), new(Name + "-4", "left over"), new(Name + "-9", "of another"), new(Name + "-2x", "z")]);
        await AssertAsync(TicketReasons.Valid, [.. cookies, cookies[1], cookies[0]]);
    }

    [Fact]
    public async Task Each_way_to_be_incomplete_has_its_reason()
    {
        var (_, cookies) = LongTicket();
        Assert.Equal(3, cookies.Length);
        await AssertAsync(TicketReasons.ChunkMissing, [cookies[0]]);
        await AssertAsync(TicketReasons.ChunkMissing, [cookies[0], cookies[1]]);
        await AssertAsync(TicketReasons.ChunkMissing, [cookies[0], cookies[2]]);
        await AssertAsync(TicketReasons.ChunkMissing, [cookies[0], new(cookies[1].Key, ""), cookies[2]]);
        await AssertAsync(TicketReasons.ChunkMissing, [cookies[1], cookies[2]]);
        await AssertAsync(TicketReasons.ChunkAmbiguous, [.. cookies, new(cookies[2].Key, "other")]);
        await AssertAsync(TicketReasons.BadMac, [cookies[0], new(cookies[1].Key, cookies[2].Value), new(cookies[2].Key, cookies[1].Value)]);
        await AssertAsync(TicketReasons.BadMac, [cookies[0], cookies[1], new(cookies[2].Key, new string('A', cookies[2].Value.Length))]);
        await AssertAsync(TicketReasons.BadText, [new(cookies[0].Key, ".2." + cookies[0].Value[3..]), new(cookies[1].Key, cookies[1].Value[..^1] + "_")]);
        await AssertAsync(TicketReasons.BadText, [cookies[0], cookies[1], new(cookies[2].Key, cookies[2].Value + "=")]);
        await AssertAsync(TicketReasons.BadLength, [cookies[0], cookies[1], new(cookies[2].Key, new string('A', 5000))]);
        await AssertAsync(TicketReasons.BadLength, [new(Name, ".2." + new string('A', 5000)), cookies[1]]);
    }

    [Fact]
    public async Task The_parts_of_two_tickets_are_refused_in_every_mixture()
    {
        var (_, one) = LongTicket();
        var (_, other) = LongTicket(counter: 8);
        for (var mixture = 1; mixture < (1 << one.Length) - 1; mixture++)
        {
            await AssertAsync(TicketReasons.BadMac, [.. one.Select((cookie, i) => (mixture & (1 << i)) == 0 ? cookie : other[i])]);
        }

        await AssertAsync(TicketReasons.Valid, other);
    }

    [Fact]
    public async Task A_ticket_in_one_cookie_counts_although_parts_of_another_are_left_over()
    {
        var shortOne = Sample.Codec().Encode(Sample.Ticket(), Sample.Key());
        var (_, cookies) = LongTicket();
        await AssertAsync(TicketReasons.Valid, [new(Name, shortOne), cookies[1], cookies[2]]);
        await AssertAsync(TicketReasons.Ambiguous, [new(Name, shortOne), .. cookies]);
        await AssertAsync(TicketReasons.Valid, [new(Name, shortOne), cookies[0]]);
    }

    [Fact]
    public async Task A_long_text_in_one_cookie_is_refused_as_it_always_was() =>
        await AssertAsync(TicketReasons.BadLength, [new(Name, new string('!', TicketChunks.MaxValueLength + 1))]);

    [Fact]
    public void Whatever_clients_send_is_joined_or_refused_without_an_exception() =>
        Prop.ForAll<string, string>((head, header) =>
        {
            var join = TicketChunks.Join("." + head, header, Name);
            return (join.Text is null) != (join.Reason == TicketReasons.Valid);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task The_response_spreads_a_long_ticket_and_takes_away_what_is_left_over_of_a_longer_one()
    {
        var (shortTicket, longTicket) = (Sample.Ticket(counter: 9), LongTicket().Ticket);
        var toIssue = longTicket;
        await using var host = await TicketHost.StartAsync(
            context =>
            {
                var feature = context.Features.Get<TicketFeature>()!;
                if (toIssue is null)
                {
                    feature.Remove();
                }
                else
                {
                    feature.Issue(toIssue);
                }

                return Task.CompletedTask;
            },
            _time);
        const string Attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax";
        const string Deletion = Attributes + "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

        var set = await SetCookiesAsync(host);
        Assert.Equal(TicketChunks.Spread(Name, host.Sign(longTicket)).Select(cookie => $"{cookie.Key}={cookie.Value}{Attributes}"), set);

        var held = string.Join("; ", set.Select(line => line.Split(';')[0]));
        toIssue = shortTicket;
        Assert.Equal([$"{Name}={host.Sign(shortTicket)}{Attributes}", $"{Name}-2={Deletion}", $"{Name}-3={Deletion}"], await SetCookiesAsync(host, held));
        Assert.Single(await SetCookiesAsync(host, "other=1"));

        toIssue = null;
        Assert.Equal([$"{Name}={Deletion}", $"{Name}-2={Deletion}", $"{Name}-3={Deletion}"], await SetCookiesAsync(host, held));
        Assert.Equal([$"{Name}={Deletion}", $"{Name}-4={Deletion}"], await SetCookiesAsync(host, $"{Name}-4=x; {Name}-5=y"));
    }

    [Fact]
    public void Removal_of_parts_has_the_attributes_that_they_were_set_with()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Cookie = "affinity-insecure=a; affinity-insecure-2=b";
        new TicketCookie(new TicketOptions { InsecureAllowHttp = true, SameSite = SameSiteMode.Strict }).Remove(context.Response);
        Assert.Equal("affinity-insecure-2=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", context.Response.Headers.SetCookie[1]);
    }

    private static async Task<string[]> SetCookiesAsync(TicketHost host, params string[] cookies)
    {
        using var response = await host.GetAsync(cookies);
        return [.. response.Headers.GetValues("Set-Cookie")];
    }

    private static (Ticket Ticket, KeyValuePair<string, string>[] Cookies) LongTicket(ulong counter = 7)
    {
        var ticket = Sample.Ticket(counter: counter) with { Content = [.. Enumerable.Range(0, 6999).Select(i => (byte)(i * (int)counter))] };
        return (ticket, [.. TicketChunks.Spread(Name, Sample.Codec().Encode(ticket, Sample.Key()))]);
    }

    private async Task AssertAsync(string reason, KeyValuePair<string, string>[] cookies)
    {
        var reader = new TicketReader(Sample.Codec(_time), _keys, new VerifiedTickets(_keys, _time));
        var reading = await reader.ReadAsync(TicketTexts.Read(Header(cookies), Name), CancellationToken.None);
        Assert.Equal(reason, reading.Reason);
        Assert.Equal(reason == TicketReasons.Valid, reading.Ticket is not null);
    }

    private static string Header(IEnumerable<KeyValuePair<string, string>> cookies) => string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));

    private static int Total(IEnumerable<KeyValuePair<string, string>> cookies) => cookies.Sum(cookie => cookie.Key.Length + 1 + cookie.Value.Length);

    private static string Text(int length) => string.Create(length, 0, static (text, _) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = (char)('A' + (i % 23));
        }
    });
}
