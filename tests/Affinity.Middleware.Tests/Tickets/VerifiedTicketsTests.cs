using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class VerifiedTicketsTests
{
    private readonly ManualTime _time = new(Sample.Now);
    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly VerifiedTickets _verified;
    private readonly string _text = Sample.Codec().Encode(Sample.Ticket(), Sample.Key());
    private readonly TicketReading _reading = new(TicketVerdict.Valid, TicketReasons.Valid, Sample.Ticket());

    public VerifiedTicketsTests() => _verified = new VerifiedTickets(_keys, _time);

    [Fact]
    public void A_text_that_was_verified_needs_no_second_look()
    {
        Assert.Null(_verified.Find(_text));
        Add();
        Assert.Same(_reading, _verified.Find(_text));
    }

    [Fact]
    public void A_text_that_differs_in_any_one_character_is_not_known()
    {
        Add();
        for (var i = 0; i < _text.Length; i++)
        {
            foreach (var other in new[] { _text[i] == 'A' ? 'B' : 'A', (char)(_text[i] + 256), '\0' })
            {
                Assert.Null(_verified.Find(_text[..i] + other + _text[(i + 1)..]));
            }

            Assert.Null(_verified.Find(_text.AsSpan(0, i)));
            Assert.Null(_verified.Find(_text[i..] + "A"));
        }

        Assert.Null(_verified.Find(_text + "A"));
    }

    [Fact]
    public void A_long_text_is_verified_each_time()
    {
        foreach (var (length, known) in new[] { (VerifiedTickets.MaxLength, true), (VerifiedTickets.MaxLength + 1, false) })
        {
            var text = new string('A', length);
            _verified.Add(text, _keys.Current!, _reading);
            Assert.Equal(known, _verified.Find(text) is not null);
        }
    }

    [Fact]
    public void At_its_end_a_ticket_is_known_no_more()
    {
        Add();
        _time.Advance(_reading.Ticket!.Expires - Sample.Now - TimeSpan.FromSeconds(1));
        Assert.NotNull(_verified.Find(_text));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_verified.Find(_text));
    }

    [Fact]
    public void A_ticket_whose_key_counts_no_more_is_not_known_nor_one_whose_key_was_changed_under_its_name()
    {
        var others = new VerifiedTickets(new FixedKeys(), _time);
        others.Add(_text, Sample.Key(), _reading);
        Assert.Null(others.Find(_text));

        _verified.Add(_text, new SigningKey(_keys.Current!.Id, new byte[32]), _reading);
        Assert.Null(_verified.Find(_text));
    }

    [Fact]
    public async Task A_ticket_that_comes_again_is_read_without_a_signature_and_judged_the_same()
    {
        var reader = new TicketReader(Sample.Codec(_time), _keys, _verified);
        var first = await ReadAsync(reader, _text);
        Assert.Same(first, await ReadAsync(reader, _text));
        Assert.Equal(_reading, first);

        _time.Advance(first.Ticket!.Expires - Sample.Now);
        Assert.Equal(TicketReasons.Expired, (await ReadAsync(reader, _text)).Reason);
    }

    [Fact]
    public async Task A_ticket_that_is_refused_is_refused_each_time()
    {
        var reader = new TicketReader(Sample.Codec(_time), _keys, _verified);
        var forged = _text[..^2] + (_text[^2] == 'A' ? "BA" : "AA");
        await ReadAsync(reader, _text);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(TicketVerdict.Refused, (await ReadAsync(reader, forged)).Verdict);
        }
    }

    [Fact]
    public async Task More_tickets_than_there_is_room_for_are_all_judged_right()
    {
        var reader = new TicketReader(Sample.Codec(_time), _keys, _verified);
        var tickets = Enumerable.Range(1, 20_000).Select(i => Sample.Ticket(counter: (ulong)i)).ToList();
        var codec = Sample.Codec();
        var texts = tickets.ConvertAll(ticket => codec.Encode(ticket, Sample.Key()));
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < texts.Count; i++)
            {
                Assert.Equal(tickets[i].Version, (await ReadAsync(reader, texts[i])).Ticket!.Version);
            }
        }
    }

    private void Add() => _verified.Add(_text, _keys.Current!, _reading);

    private static async Task<TicketReading> ReadAsync(TicketReader reader, string text) =>
        await reader.ReadAsync(TicketTexts.Read($"{Sample.CookieName}={text}", Sample.CookieName), CancellationToken.None);
}
