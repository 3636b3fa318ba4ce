using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class TicketCodecTests
{
    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly ManualTime _time = new(Sample.Now);

    private static Ticket WithJournal => Sample.Ticket() with { Journal = [0xCA, 0xFE, 0xBA, 0xBE] };

    private static Ticket WithContent => Sample.Ticket() with { Content = [0xC0, 0xFF, 0xEE, 0, 1] };

    private static string Genuine => Sample.Codec().Encode(Sample.Ticket(), Sample.Key());

    [Fact]
    public void A_ticket_comes_back_as_it_was()
    {
        var decoding = Decode(Genuine);
        Assert.Equal(TicketReasons.Valid, decoding.Reason);
        Assert.Equal(Sample.Ticket(), decoding.Ticket);
    }

    [Fact]
    public void The_golden_ticket_is_written_byte_for_byte() =>
        Assert.Equal(Sample.Golden("session-v1.txt"), Genuine);

    [Fact]
    public void The_golden_ticket_of_a_secret_is_written_byte_for_byte() =>
        Assert.Equal(
            Sample.Golden("session-v1-secret.txt"),
            Sample.Codec().Encode(Sample.Ticket(), new SecretSigningKeys([Sample.Secret], _time).Current));

    [Fact]
    public void A_ticket_is_138_characters_long() => Assert.Equal(138, Genuine.Length);

    [Fact]
    public void A_ticket_with_a_journal_comes_back_as_it_was()
    {
        var decoding = Decode(Sample.Codec().Encode(WithJournal, Sample.Key()));
        Assert.Equal(TicketReasons.Valid, decoding.Reason);
        Assert.Equal(WithJournal.Journal, decoding.Ticket!.Journal);
        Assert.Equal(Sample.Ticket(), decoding.Ticket with { Journal = null });
    }

    [Fact]
    public void The_golden_ticket_with_a_journal_is_written_byte_for_byte() =>
        Assert.Equal(Sample.Golden("session-v1-journal.txt"), Sample.Codec().Encode(WithJournal, Sample.Key()));

    [Fact]
    public void A_ticket_with_content_comes_back_as_it_was_with_and_without_a_journal()
    {
        foreach (var ticket in new[] { WithContent, WithContent with { Journal = WithJournal.Journal } })
        {
            var decoding = Decode(Sample.Codec().Encode(ticket, Sample.Key()));
            Assert.Equal(TicketReasons.Valid, decoding.Reason);
            Assert.Equal(ticket.Journal, decoding.Ticket!.Journal);
            Assert.Equal(ticket.Content, decoding.Ticket.Content);
            Assert.Equal(Sample.Ticket(), decoding.Ticket with { Journal = null, Content = null });
        }
    }

    [Fact]
    public void The_golden_tickets_with_content_are_written_byte_for_byte()
    {
        Assert.Equal(Sample.Golden("session-v1-content.txt"), Sample.Codec().Encode(WithContent, Sample.Key()));
        Assert.Equal(Sample.Golden("session-v1-both.txt"), Sample.Codec().Encode(WithContent with { Journal = WithJournal.Journal }, Sample.Key()));
    }

    [Theory]
    [InlineData(10, 0x00)] // content that no flag announces
    [InlineData(10, 0x03)] // a journal that is not there: what follows is one, and no content behind it
    [InlineData(10, 0x06)] // a flag that is not known
    [InlineData(71, 0x01)] // longer than what is there
    [InlineData(72, 0x04)] // shorter
    [InlineData(72, 0x00)] // empty
    public void Content_that_is_not_as_announced_is_refused_although_it_is_genuine(int at, byte value)
    {
        var signed = Sample.Bytes(Sample.Codec().Encode(WithContent, Sample.Key()))[..^SigningKey.MacSize];
        signed[at] = value;
        Assert.Equal(TicketReasons.BadBody, Decode(Signed(signed)).Reason);
    }

    [Fact]
    public void A_journal_is_not_taken_for_content_without_the_key()
    {
        foreach (var (ticket, flags) in new[] { (WithJournal, 2), (WithContent, 1) })
        {
            var bytes = Sample.Bytes(Sample.Codec().Encode(ticket, Sample.Key()));
            bytes[10] = (byte)flags;
            Assert.Equal(TicketReasons.BadMac, Decode(Sample.Text(bytes)).Reason);
        }
    }

    [Theory]
    [InlineData(10, 0x00)] // a journal that no flag announces
    [InlineData(10, 0x03)] // a further flag
    [InlineData(71, 0x01)] // longer than what is there
    [InlineData(72, 0x03)] // shorter
    [InlineData(72, 0x05)]
    public void A_journal_that_is_not_as_announced_is_refused_although_it_is_genuine(int at, byte value)
    {
        var signed = Sample.Bytes(Sample.Codec().Encode(WithJournal, Sample.Key()))[..^SigningKey.MacSize];
        signed[at] = value;
        Assert.Equal(TicketReasons.BadBody, Decode(Signed(signed)).Reason);
    }

    [Fact]
    public void An_empty_journal_is_neither_read_nor_written()
    {
        byte[] signed = [.. Sample.Bytes(Genuine)[..^SigningKey.MacSize], 0, 0];
        signed[10] = 1;
        Assert.Equal(TicketReasons.BadBody, Decode(Signed(signed)).Reason);
        Assert.Throws<ArgumentException>(() => Sample.Codec().Encode(Sample.Ticket() with { Journal = [] }, Sample.Key()));
        Assert.Throws<ArgumentException>(() => Sample.Codec().Encode(Sample.Ticket() with { Content = [] }, Sample.Key()));
        Assert.Throws<ArgumentException>(() => Sample.Codec().Encode(Sample.Ticket() with { Content = new byte[ushort.MaxValue + 1] }, Sample.Key()));
    }

    [Fact]
    public void The_longest_section_is_the_longest_with_which_the_text_is_no_longer_than_told()
    {
        Assert.Equal(0, TicketCodec.MaxSectionLength(138));
        for (var length = 200; length <= TicketCodec.MaxTextLength; length += 61)
        {
            var most = TicketCodec.MaxSectionLength(length);
            Assert.InRange(Text(most).Length, length - 3, length);
            Assert.True(Text(most + 1).Length > length);
        }

        Assert.NotNull(Decode(Text(TicketCodec.MaxSectionLength(TicketCodec.MaxTextLength))).Ticket);

        static string Text(int content) => Sample.Codec().Encode(Sample.Ticket() with { Content = new byte[content] }, Sample.Key());
    }

    [Fact]
    public void Every_flipped_bit_is_refused()
    {
        var genuine = Sample.Bytes(Genuine);
        for (var bit = 0; bit < genuine.Length * 8; bit++)
        {
            var forged = genuine.ToArray();
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertRefused(Sample.Text(forged));
        }
    }

    [Fact]
    public void Every_other_character_at_every_place_is_refused()
    {
        var genuine = Genuine;
        for (var i = 0; i < genuine.Length; i++)
        {
            for (var c = '\0'; c < 256; c++)
            {
                if (genuine[i] != c)
                {
                    AssertRefused(string.Concat(genuine.AsSpan(0, i), [c], genuine.AsSpan(i + 1)));
                }
            }
        }
    }

    [Fact]
    public void Every_truncation_is_refused_from_both_ends()
    {
        var (text, bytes) = (Genuine, Sample.Bytes(Genuine));
        for (var i = 0; i < text.Length; i++)
        {
            AssertRefused(text[..i]);
            AssertRefused(text[(i + 1)..]);
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            AssertRefused(Sample.Text(bytes.AsSpan(0, i)));
            AssertRefused(Sample.Text(bytes.AsSpan(i + 1)));
            AssertRefused(Sample.Text([.. bytes[..i], .. bytes[(i + 1)..]]));
        }
    }

    [Fact]
    public void Every_extension_is_refused()
    {
        var (text, bytes) = (Genuine, Sample.Bytes(Genuine));
        foreach (var more in new[] { "A", "AA", "AAA", "AAAA", "=", "==", " ", "\t", "%3D", "\0", text, new string('A', 5000) })
        {
            AssertRefused(text + more);
            AssertRefused(more + text);
        }

        for (var i = 0; i <= bytes.Length; i++)
        {
            AssertRefused(Sample.Text([.. bytes[..i], 0, .. bytes[i..]]));
        }
    }

    [Fact]
    public void Every_splice_of_two_genuine_tickets_is_refused()
    {
        var one = Sample.Bytes(Genuine);
        var other = Sample.Bytes(Sample.Codec().Encode(Sample.Ticket(session: 40, counter: 8), Sample.Key()));
        for (var from = 0; from <= one.Length; from++)
        {
            for (var to = from; to <= one.Length; to++)
            {
                byte[] splice = [.. one[..from], .. other[from..to], .. one[to..]];
                if (!splice.AsSpan().SequenceEqual(one) && !splice.AsSpan().SequenceEqual(other))
                {
                    AssertRefused(Sample.Text(splice));
                }
            }
        }
    }

    [Theory]
    [InlineData("shop2", Sample.CookieName)]
    [InlineData("Shop", Sample.CookieName)]
    [InlineData("", Sample.CookieName)]
    [InlineData(Sample.Application, "affinity")]
    [InlineData("shop__Host-", "affinity")]
    public void A_ticket_of_another_application_or_cookie_is_refused(string application, string cookie)
    {
        var foreign = Sample.Codec(application: application, cookie: cookie).Encode(Sample.Ticket(), Sample.Key());
        Assert.Equal(TicketReasons.BadMac, Decode(foreign).Reason);
    }

    [Fact]
    public void A_ticket_under_another_key_of_the_same_name_is_refused()
    {
        var foreign = Sample.Codec().Encode(Sample.Ticket(), Sample.Key(seed: 8));
        Assert.Equal(TicketReasons.BadMac, Decode(foreign).Reason);
    }

    [Fact]
    public void A_ticket_under_an_unknown_key_names_the_key()
    {
        var foreign = Sample.Codec().Encode(Sample.Ticket(), Sample.Key(id: 9));
        Assert.Equal(new TicketDecoding(TicketReasons.UnknownKey, UnknownKey: new SigningKeyId(9)), Decode(foreign));
    }

    [Fact]
    public void Another_kind_is_refused_although_it_is_genuine() =>
        Assert.Equal(TicketReasons.BadKind, Decode(Resigned(wire => wire[1] = 2)).Reason);

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(255)]
    public void Another_format_is_refused_although_it_is_genuine(byte version) =>
        Assert.Equal(TicketReasons.BadVersion, Decode(Resigned(wire => wire[0] = version)).Reason);

    [Fact]
    public void A_flag_that_is_not_known_is_refused_although_it_is_genuine()
    {
        for (var bit = 0; bit < 8; bit++)
        {
            Assert.Equal(TicketReasons.BadBody, Decode(Resigned(wire => wire[10] = (byte)(1 << bit))).Reason);
        }
    }

    [Theory]
    [InlineData(11, 8, 0xFF)] // issued before 1970
    [InlineData(19, 8, 0x00)] // idle until before issued
    [InlineData(27, 8, 0x00)] // expires before idle until
    [InlineData(27, 8, 0x7F)] // expires after the year 9999
    [InlineData(35, 16, 0x00)] // no session
    [InlineData(51, 8, 0x00)] // a stamp without a counter
    [InlineData(59, 8, 0x00)] // a counter without a stamp
    [InlineData(67, 4, 0xFF)] // a negative generation
    public void Values_out_of_range_are_refused_although_they_are_genuine(int at, int length, byte fill) =>
        Assert.Equal(TicketReasons.BadBody, Decode(Resigned(wire => wire.AsSpan(at, length).Fill(fill))).Reason);

    [Fact]
    public void A_longer_body_without_its_flag_is_refused_although_it_is_genuine()
    {
        byte[] signed = [.. Sample.Bytes(Genuine)[..^SigningKey.MacSize], 1, 2, 3];
        Assert.Equal(TicketReasons.BadBody, Decode(Signed(signed)).Reason);
    }

    [Fact]
    public void At_the_moment_of_expiry_a_ticket_is_refused()
    {
        var genuine = Genuine;
        _time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromTicks(1));
        Assert.Equal(TicketReasons.Valid, Decode(genuine).Reason);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(TicketReasons.Expired, Decode(genuine).Reason);
    }

    [Fact]
    public void The_idle_limit_is_the_stores_business() =>
        Assert.Equal(TicketReasons.Valid, DecodeAt(Sample.Now.AddHours(23), Genuine).Reason);

    [Fact]
    public void A_genuine_ticket_from_the_future_counts_and_tells_that_a_clock_is_wrong()
    {
        Assert.Equal(TicketReasons.Valid, DecodeAt(Sample.Now.AddMinutes(-5), Genuine).Reason);
        var ahead = DecodeAt(Sample.Now.AddMinutes(-5).AddTicks(-1), Genuine);
        Assert.Equal((TicketReasons.IssuedAhead, Sample.Ticket()), (ahead.Reason, ahead.Ticket));
    }

    [Fact]
    public void A_text_longer_than_any_cookie_is_refused_before_it_is_decoded()
    {
        Assert.Equal(TicketReasons.BadLength, Decode(new string('!', TicketCodec.MaxTextLength + 1)).Reason);
        Assert.Equal(TicketReasons.BadText, Decode(new string('!', TicketCodec.MaxTextLength)).Reason);
    }

    [Fact]
    public void A_ticket_that_no_reader_would_take_is_not_written()
    {
        var good = Sample.Ticket();
        foreach (var bad in new[]
        {
            good with { Generation = -1 },
            good with { IdleUntil = good.Issued.AddSeconds(-1) },
            good with { Expires = good.IdleUntil.AddSeconds(-1) },
            good with { Version = new SessionVersion(1, 0) },
        })
        {
            Assert.Throws<ArgumentException>(() => Sample.Codec().Encode(bad, Sample.Key()));
        }

        Assert.Throws<InvalidOperationException>(() => Sample.Codec().Encode(good with { Session = default }, Sample.Key()));
    }

    [Fact]
    public void A_key_never_shows_itself() =>
        Assert.Equal("AQIDBAUGBwg", Sample.Key().ToString());

    private TicketDecoding Decode(string text) => Sample.Codec(_time).Decode(text, _keys);

    private TicketDecoding DecodeAt(DateTimeOffset now, string text) => Sample.Codec(new ManualTime(now)).Decode(text, _keys);

    private void AssertRefused(string text)
    {
        var decoding = Decode(text);
        Assert.Null(decoding.Ticket);
        Assert.False(string.Equals(TicketReasons.Valid, decoding.Reason, StringComparison.Ordinal));
    }

    /// <summary>A genuine ticket after a change: what somebody who has the key could write.</summary>
    private static string Resigned(Action<byte[]> change)
    {
        var signed = Sample.Bytes(Genuine)[..^SigningKey.MacSize];
        change(signed);
        return Signed(signed);
    }

    private static string Signed(byte[] signed)
    {
        // Spelt out once more, so that a change of the MAC's input shows.
        byte[] input = [0, 0, 0, 15, .. "Affinity ticket"u8, 0, 0, 0, 4, .. "shop"u8, 0, 0, 0, 15, .. "__Host-affinity"u8, 0, 0, 0, (byte)signed.Length, .. signed];
        var mac = new byte[SigningKey.MacSize];
        Sample.Key().Sign(input, mac);
        return Sample.Text([.. signed, .. mac]);
    }
}
