using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class TicketCodecProperties
{
    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly TicketCodec _codec = Sample.Codec();

    [Fact]
    public void Every_ticket_comes_back_as_it_was() =>
        Prop.ForAll<ulong, ulong, int>((counter, stamp, seconds) =>
        {
            var ticket = Sample.Ticket() with
            {
                Session = SessionId.Create(),
                Version = counter == 0 || stamp == 0 ? SessionVersion.None : new SessionVersion(counter, stamp),
                Generation = seconds & int.MaxValue,
                Expires = Sample.Now.AddDays(1).AddSeconds(seconds & int.MaxValue),
            };
            return _codec.Decode(_codec.Encode(ticket, Sample.Key()), _keys).Ticket == ticket;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_journal_and_content_comes_back_as_it_was() =>
        Prop.ForAll<byte[], byte[]>((journal, content) =>
        {
            var ticket = Sample.Ticket() with { Journal = journal is { Length: > 0 } ? journal : null, Content = content is { Length: > 0 } ? content : null };
            var back = _codec.Decode(_codec.Encode(ticket, Sample.Key()), _keys).Ticket!;
            return (back.Journal ?? []).AsSpan().SequenceEqual(ticket.Journal ?? []) && (back.Content ?? []).AsSpan().SequenceEqual(ticket.Content ?? [])
                && back with { Journal = null, Content = null } == Sample.Ticket();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_flags_and_bytes_in_a_genuine_ticket_are_read_or_refused_without_an_exception_and_never_in_two_ways() =>
        Prop.ForAll<byte, byte[]>((flags, tail) =>
        {
            byte[] body = [.. Sample.Bytes(_codec.Encode(Sample.Ticket(), Sample.Key()))[10..^SigningKey.MacSize], .. tail];
            body[0] = (byte)(flags % 5);
            var envelope = new SignedEnvelope(1, "Affinity ticket", Sample.Application, Sample.CookieName, TicketCodec.MaxTextLength);
            var text = envelope.Seal(body, Sample.Key());
            var decoding = _codec.Decode(text, _keys);
            return decoding.Ticket is { } ticket ? string.Equals(_codec.Encode(ticket, Sample.Key()), text, StringComparison.Ordinal) : decoding.Reason == TicketReasons.BadBody;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_text_is_refused_without_an_exception() =>
        Prop.ForAll<string>(text => _codec.Decode(text, _keys).Ticket is null).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_bytes_are_refused_without_an_exception() =>
        Prop.ForAll<byte[]>(bytes => _codec.Decode(Sample.Text(bytes), _keys).Ticket is null).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_bytes_behind_a_genuine_beginning_are_refused_without_an_exception() =>
        Prop.ForAll<byte[], byte>((tail, keep) =>
        {
            var genuine = Sample.Bytes(_codec.Encode(Sample.Ticket(), Sample.Key()));
            var kept = genuine[..(keep % genuine.Length)];
            return _codec.Decode(Sample.Text([.. kept, .. tail]), _keys).Ticket is null || tail.AsSpan().SequenceEqual(genuine.AsSpan(kept.Length));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_length_up_to_the_limit_is_refused_without_an_exception()
    {
        for (var length = 0; length <= TicketCodec.MaxTextLength + 4; length++)
        {
            // 01 01 and our own key's name, so that the signature is what refuses it.
            var text = string.Concat("AQEBAgMEBQYHCA", new string('A', length)).AsSpan(0, length);
            Assert.Null(_codec.Decode(text, _keys).Ticket);
        }
    }
}
