using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Affinity.Inspection;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Affinity.Tool;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Affinity.Tests.Inspection.InspectorSample;

namespace Affinity.Tests.Inspection;

/// <summary>What a report never holds, and what it holds only when asked.</summary>
public sealed class InspectorSecrecyTests : IDisposable
{
    private readonly ManualTime _time = new(Sample.Now);
    private readonly FakeKeyVault _vault = new();
    private readonly ProtectionNode _node;
    private readonly TicketSeal _seal;

    public InspectorSecrecyTests()
    {
        _node = new ProtectionNode(_vault, _time);
        _seal = Seal(_node);
    }

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_report_holds_a_cookie_an_id_or_a_key_and_values_only_when_they_were_asked_for(bool showValues)
    {
        var ticket = Journaled();
        var binding = Encode(NodeA);
        var report = Create(seal: _seal).Inspect(InspectionInput.Parse($"Cookie: {Sample.CookieName}={ticket}; {BindingName}={binding}; AFF=node-a; other=sesame"), showValues);

        Assert.Equal("opened", report.Cookies[0].Ticket?.Journal?.State);
        foreach (var text in Texts(report))
        {
            Assert.DoesNotContain(ticket[^20..], text, StringComparison.Ordinal);
            Assert.DoesNotContain(binding[^20..], text, StringComparison.Ordinal);
            Assert.DoesNotContain("sesame", text, StringComparison.Ordinal);
            Assert.All(SpellingsOf(SessionBytes()).Concat(SpellingsOf(KeyBytes())), secret => Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase));
            Assert.Equal(showValues, text.Contains("two mugs", StringComparison.Ordinal));
            Assert.Equal(showValues, text.Contains("4711", StringComparison.Ordinal));
        }
    }

    /// <summary>What is refused is not handed back either: somebody may have pasted a password.</summary>
    [Theory]
    [InlineData("correct-horse-battery-staple")]
    [InlineData("Cookie: password=correct-horse-battery-staple")]
    [InlineData("AFF=<correct-horse-battery-staple>")]
    [InlineData("__Host-affinity=correct-horse-battery-staple")]
    [InlineData("<script>correct-horse-battery-staple</script>")]
    public void What_is_no_cookie_of_ours_is_not_handed_back(string text) =>
        Assert.All(Texts(Inspect(text, showValues: true)), told => Assert.DoesNotContain("horse", told, StringComparison.Ordinal));

    [Fact]
    public void A_journal_is_told_by_its_saves_with_lengths_and_a_guess()
    {
        var journal = Create(seal: _seal).Inspect(InspectionInput.Parse(Journaled()), showValues: false).Cookies[0].Ticket?.Journal;

        Assert.Equal(("opened", null), (journal?.State, journal?.Why));
        Assert.Equal([("7.3fa9", true, false, 2), ("7.3fa9", false, true, 0)], journal!.Entries!.Select(entry => (entry.On, entry.Clears, entry.SignsIn, entry.Joined)));
        Assert.Equal(
            [new("basket", 8, "text", null), new("count", 4, "integer", null), new("lines", 14, "json array", null), new("old", null, null, null)],
            journal.Entries![0].Changes);
        Assert.Equal([new InspectedItem("nothing", 0, "empty", null)], journal.Entries[1].Changes);
    }

    [Fact]
    public void Asked_for_values_are_shown_as_what_they_look_like()
    {
        var changes = Create(seal: _seal).Inspect(InspectionInput.Parse(Journaled()), showValues: true).Cookies[0].Ticket!.Journal!.Entries![0].Changes;
        Assert.Equal(["two mugs", "4711 (0x00001267)", """[{"id":"mug"}]""", null], changes.Select(change => change.Value));
    }

    [Fact]
    public void A_journal_that_is_not_opened_says_why_and_the_vault_is_not_asked()
    {
        using var stranger = new ProtectionNode(new FakeKeyVault(), _time);
        var ofStranger = Sample.Codec().Encode(Sample.Ticket() with { Journal = Sealed(Seal(stranger)) }, Key);
        var ofOtherSession = Sample.Codec().Encode(Sample.Ticket(session: 5) with { Journal = Sealed(_seal) }, Key);
        _ = Sealed(_seal);
        var (reads, appends) = (_vault.Reads, _vault.Appends);

        Assert.Equal(("valid", "not_opened"), Tell(ofStranger, seal: null));
        Assert.Equal(("valid", "unknown_key"), Tell(ofStranger, _seal));
        Assert.Equal(("damaged_journal", "damaged"), Tell(ofOtherSession, _seal));
        Assert.Equal(("damaged_journal", "damaged"), Tell(Sample.Codec().Encode(Sample.Ticket() with { Journal = [1, 2, 3] }, Key), _seal));
        Assert.Equal((reads, appends), (_vault.Reads, _vault.Appends));
    }

    [Theory]
    [InlineData(1, "readable")]
    [InlineData(2, "encrypted")]
    [InlineData(3, "compressed")]
    public void A_session_in_a_ticket_is_told_by_its_keys_and_values_only_when_they_were_asked_for(byte form, string word)
    {
        var text = WithContent(form);

        var told = Create(seal: _seal).Inspect(InspectionInput.Parse(text), showValues: false);
        var shown = Create(seal: _seal).Inspect(InspectionInput.Parse(text), showValues: true);

        Assert.Equal((word, "opened", null), (told.Cookies[0].Ticket?.Content?.Form, told.Cookies[0].Ticket?.Content?.State, told.Cookies[0].Ticket?.Content?.Why));
        Assert.Equal([new InspectedItem("basket", 8, "text", Value: null)], told.Cookies[0].Ticket!.Content!.Items!);
        Assert.All(Texts(told), line => Assert.DoesNotContain("two mugs", line, StringComparison.Ordinal));
        Assert.All(Texts(shown), line => Assert.Contains("two mugs", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_session_that_is_not_opened_says_why()
    {
        using var stranger = new ProtectionNode(new FakeKeyVault(), _time);
        byte[] ofOther = [2, .. Sealed(Seal(stranger), Session("basket", [1]), TicketSection.Content)];
        byte[] ofJournal = [2, .. Sealed(_seal, Session("basket", [1]))];
        var signed = new SessionsOptions { Carrier = SessionCarrier.Cookie, Cookie = { Protection = ContentProtection.Sign } };
        var encrypted = new SessionsOptions { Carrier = SessionCarrier.Cookie };
        (_, var reads) = (Sealed(_seal), _vault.Reads);

        Assert.Equal(("valid", "not_opened"), TellContent(WithContent(2), seal: null));
        Assert.Equal(("valid", "unknown_key"), TellContent(Carrying(ofOther), _seal));
        Assert.Equal(("damaged_content", "damaged"), TellContent(Carrying(ofJournal), _seal));
        Assert.Equal(("damaged_content", "damaged"), TellContent(Carrying([9]), _seal));
        Assert.Equal(("damaged_content", "damaged"), TellContent(WithContent(1), _seal, encrypted));
        Assert.Equal(("valid", "opened"), TellContent(WithContent(1), _seal, signed));
        Assert.Equal(("valid", "opened"), TellContent(WithContent(2), _seal, signed));
        Assert.Equal(("other_carrier", "opened"), TellContent(WithContent(2), _seal, new SessionsOptions()));
        Assert.Equal(("other_carrier", null), TellContent(Genuine, _seal, encrypted));
        Assert.Equal(reads, _vault.Reads);
    }

    [Fact]
    public void What_unpacks_without_end_is_damaged()
    {
        var bomb = Deflated(new byte[50_000_000]);
        Assert.InRange(bomb.Length, 1, ushort.MaxValue);
        Assert.Equal(("damaged_content", "damaged"), TellContent(Carrying(bomb[..8000]), _seal));
    }

    [Theory]
    [InlineData(new byte[0], "empty", "")]
    [InlineData(new byte[] { (byte)'{', (byte)'}' }, "json object", "{}")]
    [InlineData(new byte[] { (byte)'"', (byte)'a', (byte)'"' }, "json text", "\"a\"")]
    [InlineData(new byte[] { (byte)'a' }, "text", "a")]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFE }, "integer", "-2 (0xFFFFFFFE)")]
    [InlineData(new byte[] { 0x1B, (byte)'[' }, "bytes", "0x1B5B")]
    [InlineData(new byte[] { 0xC3 }, "bytes", "0xC3")]
    public void A_value_is_guessed_by_its_shape(byte[] value, string guess, string shown)
    {
        Assert.Equal((guess, shown), (InspectedValue.LooksLike(value), InspectedValue.Show(value)));
    }

    [Fact]
    public void A_long_value_is_cut()
    {
        Assert.Equal(new string('a', 512) + "… (600 characters)", InspectedValue.Show(Encoding.UTF8.GetBytes(new string('a', 600))));
        Assert.Equal("0x" + new string('0', 512) + "…", InspectedValue.Show(new byte[600]));
    }

    [Fact]
    public void What_a_terminal_would_obey_is_spelt_out()
    {
        var journal = new SessionJournal([new JournalEntry(SessionVersion.None, 5, Clears: false, RaisesGeneration: false, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["\u001b[2J\u202Ekey\n"] = "\r\t"u8.ToArray() })]);
        var report = Create(seal: _seal).Inspect(InspectionInput.Parse(Carrying(journal)), showValues: true);
        Assert.Contains(@"\u001B[2J\u202Ekey\u000A: 2 bytes, text = \u000D\u0009", InspectionText.Of(report), StringComparison.Ordinal);
    }

    private static string[] Texts(InspectionReport report) => [InspectionText.Of(report), JsonSerializer.Serialize(report, InspectionJson.Default.InspectionReport)];

    private static (string, string?) Tell(string ticket, TicketSeal? seal)
    {
        var cookie = Create(seal: seal).Inspect(InspectionInput.Parse(ticket), showValues: true).Cookies[0];
        Assert.Null(cookie.Ticket?.Journal?.Entries);
        Assert.NotNull(cookie.Ticket?.Journal?.Why);
        return (cookie.Verdict, cookie.Ticket?.Journal?.State);
    }

    private string Journaled() => Carrying(new SessionJournal(
    [
        new JournalEntry(Sample.Ticket().Version, 5, Clears: true, RaisesGeneration: false, new Dictionary<string, byte[]?>(StringComparer.Ordinal)
        {
            ["old"] = null,
            ["lines"] = """[{"id":"mug"}]"""u8.ToArray(),
            ["basket"] = "two mugs"u8.ToArray(),
            ["count"] = [0, 0, 0x12, 0x67],
        }) { Joined = [3, 4] },
        new JournalEntry(Sample.Ticket().Version, 6, Clears: false, RaisesGeneration: true, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["nothing"] = [] }),
    ]));

    private string Carrying(SessionJournal journal) => Sample.Codec().Encode(Sample.Ticket() with { Journal = Sealed(_seal, SessionJournalCodec.Encode(journal)) }, Key);

    private string WithContent(byte form) => Carrying(form switch
    {
        1 => [1, .. Session("basket", "two mugs"u8.ToArray())],
        2 => [2, .. Sealed(_seal, Session("basket", "two mugs"u8.ToArray()), TicketSection.Content)],
        _ => Deflated(Session("basket", "two mugs"u8.ToArray())),
    });

    private static byte[] Deflated(byte[] payload)
    {
        using var buffer = new MemoryStream();
        buffer.WriteByte(3);
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(payload);
        }

        return buffer.ToArray();
    }

    private static string Carrying(byte[] content) => Sample.Codec().Encode(Sample.Ticket() with { Content = content }, Key);

    private static (string, string?) TellContent(string ticket, TicketSeal? seal, SessionsOptions? sessions = null)
    {
        var cookie = Create(seal: seal, sessions: sessions).Inspect(InspectionInput.Parse("Cookie: " + string.Join("; ", TicketChunks.Spread(Sample.CookieName, ticket).Select(pair => $"{pair.Key}={pair.Value}"))), showValues: true).Cookies[0];
        var content = cookie.Ticket?.Content;
        Assert.Equal(content?.State is "opened", content?.Items is not null);
        Assert.Equal(content is null || content.State is "opened", content?.Why is null);
        return (cookie.Verdict, content?.State);
    }

    private static byte[] Sealed(TicketSeal seal, byte[]? content = null, TicketSection section = TicketSection.Journal)
    {
        Assert.True(seal.TrySeal(section, Sample.Session(), content ?? [1, 2, 3], out var sealedBytes));
        return sealedBytes;
    }

    private static TicketSeal Seal(ProtectionNode node) =>
        ActivatorUtilities.CreateInstance<TicketSeal>(node.Services, new TicketScope(Sample.Application, []), new TicketOptions());

    private static byte[] SessionBytes()
    {
        var bytes = new byte[SessionId.Size];
        Sample.Session().Write(bytes);
        return bytes;
    }

    private static byte[] KeyBytes()
    {
        var bytes = new byte[SigningKey.Size];
        Key.ExportTo(bytes);
        return bytes;
    }

    private static IEnumerable<string> SpellingsOf(byte[] secret) => [Convert.ToHexString(secret), Convert.ToBase64String(secret).TrimEnd('='), Sample.Text(secret), new Guid(secret.AsSpan(0, 16)).ToString()];
}
