using Affinity.Inspection;
using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Xunit;
using static Affinity.Tests.Inspection.InspectorSample;

namespace Affinity.Tests.Inspection;

/// <summary>What the inspector says of every kind of cookie, and that the pipeline says the same.</summary>
public sealed class InspectorVerdictTests
{
    private static readonly Dictionary<string, string> Tickets = new(StringComparer.Ordinal)
    {
        ["genuine"] = Genuine,
        ["with a journal"] = Sample.Codec().Encode(Sample.Ticket() with { Journal = [1, 2, 3] }, Key),
        ["at its end"] = Sample.Codec().Encode(Sample.Ticket() with { IdleUntil = Sample.Now, Expires = Sample.Now }, Key),
        ["a second before its end"] = Sample.Codec().Encode(Sample.Ticket() with { IdleUntil = Sample.Now, Expires = Sample.Now.AddSeconds(1) }, Key),
        ["dated ahead"] = Sample.Codec().Encode(Sample.Ticket() with { Issued = Sample.Now.AddMinutes(6) }, Key),
        ["altered"] = Changed(20),
        ["cut off"] = Genuine[..100],
        ["cut short"] = Genuine[..40],
        ["cut within a byte"] = Genuine[..97],
        ["with padding"] = Genuine + "==",
        ["percent-encoded"] = Genuine[..50] + "%2D" + Genuine[50..],
        ["wrapped"] = Genuine[..50] + " " + Genuine[50..],
        ["in quotes"] = $"\"{Genuine}\"",
        ["of plain base64"] = Genuine[..50] + "+/" + Genuine[52..],
        ["abbreviated"] = Genuine[..100] + "…",
        ["longer than any"] = new string('A', TicketChunks.MaxValueLength + 4),
        ["with content"] = Sample.Codec().Encode(Sample.Ticket() with { Content = [1, .. Session("k", [5])] }, Key),
        ["with content and idle until now"] = Sample.Codec().Encode(Sample.Ticket() with { Content = [1, .. Session("k", [5])], IdleUntil = Sample.Now }, Key),
        ["with content of a later form"] = Sample.Codec().Encode(Sample.Ticket() with { Content = [4, 2, 3] }, Key),
        ["the first of three cookies"] = ".3." + Genuine,
        ["the first of nine cookies"] = ".9." + Genuine,
        ["of a later format"] = Changed(0),
        ["of another secret"] = Sample.Codec().Encode(Sample.Ticket(), new SecretSigningKeys([Sample.OtherSecret], new ManualTime(Sample.Now)).Current),
        ["of a key of the store"] = Sample.Codec().Encode(Sample.Ticket(), Sample.Key()),
        ["of an old key"] = Sample.Codec().Encode(Sample.Ticket(), KeyAt(Sample.Now.AddDays(-99))),
        ["of a key to come"] = Sample.Codec().Encode(Sample.Ticket(), KeyAt(Sample.Now.AddDays(15))),
        ["of another application"] = Sample.Codec(application: "warehouse").Encode(Sample.Ticket(), Key),
        ["of another cookie"] = Sample.Codec(cookie: "sid").Encode(Sample.Ticket(), Key),
        ["of the cookie for http"] = Sample.Codec(cookie: "affinity-insecure").Encode(Sample.Ticket(), Key),
        ["that is a binding"] = Encode(NodeA),
        ["with a later kind"] = Envelope(3, "Affinity ticket").Seal(new byte[60], Key),
        ["with a later body"] = Envelope(1, "Affinity ticket").Seal([0xF0, .. new byte[60]], Key),
    };

    [Theory]
    [InlineData("genuine", "valid", "valid", "time has not run out")]
    [InlineData("with a journal", "valid", "valid", "time has not run out")]
    [InlineData("at its end", "expired", "expired", "has run out")]
    [InlineData("a second before its end", "valid", "valid", "time has not run out")]
    [InlineData("dated ahead", "valid", "issued_ahead", "time has not run out")]
    [InlineData("altered", "bad_mac", "bad_mac", "another application or under another cookie name, or it was altered")]
    [InlineData("cut off", "bad_mac", "bad_mac", "or it was altered")]
    [InlineData("cut short", "too_short", "bad_length", "shorter than any")]
    [InlineData("cut within a byte", "bad_text", "bad_text", "no such text has this length")]
    [InlineData("with padding", "bad_text", "bad_text", "padding")]
    [InlineData("percent-encoded", "bad_text", "bad_text", "percent-encoded")]
    [InlineData("wrapped", "bad_text", "bad_text", "white space")]
    [InlineData("in quotes", "bad_text", "bad_text", "quotation mark")]
    [InlineData("of plain base64", "bad_text", "bad_text", "of base64 and not of base64url")]
    [InlineData("abbreviated", "bad_text", "bad_text", "abbreviation")]
    [InlineData("longer than any", "too_long", "bad_length", "longer than any")]
    [InlineData("with content", "valid", "valid", "time has not run out")]
    [InlineData("with content and idle until now", "idle_expired", "valid", "idle time has run out")]
    [InlineData("with content of a later form", "damaged_content", "valid", "damaged or less protected")]
    [InlineData("the first of three cookies", "chunk_missing", "chunk_missing", "one of them is not there")]
    [InlineData("the first of nine cookies", "chunk_count", "chunk_count", "a number of them that no ticket has")]
    [InlineData("of a later format", "bad_version", "bad_version", "does not know")]
    [InlineData("of another secret", "unknown_key", "unknown_key", "no secret that is known here, of which there is 1")]
    [InlineData("of a key of the store", "unknown_key", "unknown_key", "no secret that is known here, of which there is 1")]
    [InlineData("of an old key", "unknown_key", "unknown_key", "more than 91 days old")]
    [InlineData("of a key to come", "unknown_key", "unknown_key", "has not come yet")]
    [InlineData("of another application", "bad_mac", "bad_mac", "another application or under another cookie name")]
    [InlineData("of another cookie", "bad_mac", "bad_mac", "another application or under another cookie name")]
    [InlineData("of the cookie for http", "other_cookie_name", "bad_mac", "made for a cookie of another name")]
    [InlineData("that is a binding", "wrong_kind", "bad_mac", "not of the kind")]
    [InlineData("with a later kind", "wrong_kind", "bad_kind", "not of the kind")]
    [InlineData("with a later body", "bad_body", "bad_body", "this release does not know")]
    public void A_ticket_is_judged_with_its_reason(string ticket, string verdict, string countedAs, string why)
    {
        var report = Inspect($"Cookie: theme=dark; {Sample.CookieName}={Tickets[ticket]}; other=1");

        var cookie = Assert.Single(report.Cookies);
        Assert.Equal(("ticket", Sample.CookieName, verdict, countedAs), (cookie.Is, cookie.Name, cookie.Verdict, cookie.CountedAs));
        Assert.Contains(why, cookie.Why, StringComparison.Ordinal);
        Assert.Equal((verdict == "valid", verdict == "valid"), (cookie.Valid, report.Valid));
        Assert.True(cookie.Valid || cookie.Do is { Length: > 0 });
    }

    [Fact]
    public void Every_case_has_its_line() =>
        Assert.Equal(Tickets.Keys.Order(StringComparer.Ordinal), Cases().Order(StringComparer.Ordinal));

    [Fact]
    public async Task The_pipeline_says_the_same_of_each()
    {
        var time = new ManualTime(Sample.Now);
        var keys = new SecretSigningKeys([Sample.Secret], time);
        foreach (var (name, text) in Tickets)
        {
            var reader = new TicketReader(Sample.Codec(time), keys, new VerifiedTickets(keys, time));

            var reading = await reader.ReadAsync(TicketTexts.Read($"{Sample.CookieName}={text}", Sample.CookieName), default);

            var cookie = Assert.Single(Create(time, keys).Inspect(InspectionInput.OfRequest($"{Sample.CookieName}={text}"), showValues: false).Cookies);
            // What the session stage refuses, the ticket stage has taken.
            Assert.Equal((name, reading.Verdict == TicketVerdict.Valid, reading.Reason), (name, cookie.Valid || cookie.Verdict is "idle_expired" or "damaged_content", cookie.CountedAs));
        }
    }

    [Fact]
    public void What_is_genuine_for_another_application_is_found_when_that_is_tried()
    {
        var scope = Scope with { OtherApplications = ["store", "warehouse"], OtherTicketNames = ["sid"] };
        var text = Sample.Codec(application: "warehouse", cookie: "sid").Encode(Sample.Ticket(), Key);

        var cookie = Assert.Single(Create(scope: scope).Inspect(InspectionInput.Parse(text), showValues: false).Cookies);

        Assert.Equal(("other_application", false), (cookie.Verdict, cookie.Valid));
        Assert.Equal(["It was made by the application warehouse as a ticket in the cookie sid."], cookie.Notes);
        Assert.Equal(Sample.Ticket().Session.ToFingerprint(), cookie.Ticket?.Session);
    }

    [Fact]
    public void Two_genuine_tickets_are_both_refused_and_a_forged_one_beside_a_genuine_one_changes_nothing()
    {
        var other = Sample.Codec().Encode(Sample.Ticket(session: 9), Key);

        var ambiguous = Inspect($"Cookie: {Sample.CookieName}={Genuine}; {Sample.CookieName}={other}");
        var twice = Inspect($"Cookie: {Sample.CookieName}={Genuine}; {Sample.CookieName}={Genuine}");
        var forged = Inspect($"Cookie: {Sample.CookieName}={Tickets["altered"]}; {Sample.CookieName}={Genuine}");

        Assert.Equal(["ambiguous", "ambiguous"], Verdicts(ambiguous));
        Assert.Equal(["ambiguous", "ambiguous"], Verdicts(Inspect($"Cookie: {Sample.CookieName}={Genuine}; {Sample.CookieName}={Tickets["with content and idle until now"]}")));
        Assert.Equal(["valid", "expired"], Verdicts(Inspect($"Cookie: {Sample.CookieName}={Genuine}; {Sample.CookieName}={Tickets["at its end"]}")));
        Assert.Equal(["valid"], Verdicts(twice));
        Assert.Equal(["bad_mac", "valid"], Verdicts(forged));
        Assert.Equal((false, true, true), (ambiguous.Valid, twice.Valid, forged.Valid));
    }

    [Fact]
    public void Of_more_than_three_values_it_says_that_the_others_are_not_looked_at()
    {
        var report = Inspect("Cookie: " + string.Join("; ", Enumerable.Range(0, 4).Select(i => $"{Sample.CookieName}={Genuine[..^i]}")));

        Assert.Equal(3, report.Cookies.Count);
        Assert.Contains("more than 3 different values", Assert.Single(report.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("all of them", "valid", "valid", 3, 0)]
    [InlineData("in another order in the header", "valid", "valid", 3, 0)]
    [InlineData("with one left over", "valid", "valid", 3, 1)]
    [InlineData("without the second", "chunk_missing", "chunk_missing", 3, 0)]
    [InlineData("without the last", "chunk_missing", "chunk_missing", 3, 0)]
    [InlineData("without the first", "chunk_missing", "chunk_missing", 4, 0)]
    [InlineData("with another second one too", "chunk_ambiguous", "chunk_ambiguous", 3, 0)]
    [InlineData("with one of another response", "bad_mac", "bad_mac", 3, 0)]
    [InlineData("with two in each other's place", "bad_mac", "bad_mac", 3, 0)]
    public async Task A_ticket_that_is_spread_over_cookies_counts_as_a_whole_or_not_at_all(string which, string verdict, string countedAs, int spreadOver, int notes)
    {
        var cookies = Spread(seed: 1);
        var other = Spread(seed: 2);
        List<string> header = which switch
        {
            "all of them" => cookies,
            "in another order in the header" => [cookies[2], cookies[1], cookies[0]],
            "with one left over" => [.. cookies, Sample.CookieName + "-4=x"],
            "without the second" => [cookies[0], cookies[2]],
            "without the last" => [cookies[0], cookies[1]],
            "without the first" => [cookies[1], cookies[2]],
            "with another second one too" => [.. cookies, other[1]],
            "with one of another response" => [cookies[0], other[1], cookies[2]],
            _ => [cookies[0], cookies[2].Replace("-3=", "-2=", StringComparison.Ordinal), cookies[1].Replace("-2=", "-3=", StringComparison.Ordinal)],
        };
        var lines = string.Join("; ", header);

        var report = Inspect("Cookie: " + lines);

        var cookie = Assert.Single(report.Cookies);
        Assert.Equal((verdict, countedAs, spreadOver, notes), (cookie.Verdict, cookie.CountedAs, cookie.SpreadOver, report.Notes.Count));
        Assert.Equal(verdict == "bad_mac", cookie.Notes.Any(note => note.Contains("never verify together", StringComparison.Ordinal)));
        Assert.Equal((verdict == "valid" ? 5950 : null, verdict == "valid"), (cookie.Ticket?.Content?.Items?[0].Bytes, report.Valid));
        var time = new ManualTime(Sample.Now);
        var keys = new SecretSigningKeys([Sample.Secret], time);
        var reading = await new TicketReader(Sample.Codec(time), keys, new VerifiedTickets(keys, time)).ReadAsync(TicketTexts.Read(lines, Sample.CookieName), default);
        Assert.Equal(reading.Reason, cookie.CountedAs);
    }

    [Theory]
    [InlineData("genuine", "valid", true)]
    [InlineData("at its end", "expired", false)]
    [InlineData("altered", "bad_mac", false)]
    [InlineData("a ticket", "wrong_kind", false)]
    [InlineData("of the cookie for http", "other_cookie_name", false)]
    public void A_binding_is_judged_too(string binding, string verdict, bool valid)
    {
        var genuine = Encode(NodeA);
        var text = binding switch
        {
            "genuine" => genuine,
            "at its end" => Encode(new Binding(NodeId.Parse("node-a"), Sample.Now)),
            "altered" => genuine[..30] + (genuine[30] == 'A' ? 'B' : 'A') + genuine[31..],
            "a ticket" => Genuine,
            _ => Encode(NodeA, "affinity-insecure-binding"),
        };

        var report = Inspect($"{BindingName}={text};");

        Assert.Equal(("binding", verdict, valid), (report.Cookies[0].Is, report.Cookies[0].Verdict, report.Valid));
    }

    [Fact]
    public void What_a_ticket_and_a_binding_say_is_told()
    {
        var report = Create(live: ["node-b", "node-a"]).Inspect(InspectionInput.Parse($"Cookie: {BindingName}={Encode(NodeA)}; AFF=node-c; {Sample.CookieName}={Genuine}"), showValues: false);

        Assert.Equal(["ticket", "binding", "route"], report.Cookies.Select(cookie => cookie.Is));
        Assert.Equal(new InspectedTicket(Sample.Ticket().Session.ToFingerprint(), Sample.Now, TimeSpan.Zero, Sample.Now.AddMinutes(20), Sample.Now.AddHours(24), "7.3fa9", 2), report.Cookies[0].Ticket);
        Assert.Equal(new InspectedEnvelope(Signed: true, 1, "session", Key.Id.ToString(), "Affinity:Secrets:0 (1 of 1), week 3130 (from 2029-12-27); signs now"), report.Cookies[0].Envelope);
        Assert.Equal(new InspectedBinding("node-a", Lives: true, NodeA.Until, "blue", NodeA.TrackUntil, 2), report.Cookies[1].Binding);
        Assert.Equal(new InspectedRoute("node-c", Lives: false), report.Cookies[2].Route);
        Assert.True(report.Valid);
    }

    [Fact]
    public void A_session_whose_idle_time_has_run_out_as_of_its_ticket_is_for_the_store_to_judge()
    {
        var time = new ManualTime(Sample.Now.AddMinutes(20));

        var cookie = Assert.Single(Create(time).Inspect(InspectionInput.Parse(Genuine), showValues: false).Cookies);

        Assert.True(cookie.Valid);
        Assert.Contains("idle time has run out", Assert.Single(cookie.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AFF=node-a", "named", true)]
    [InlineData("AFF=no node", "unrecognised", false)]
    [InlineData("Cookie: AFF=", "unrecognised", false)]
    public void A_route_is_judged_by_its_shape(string cookie, string verdict, bool valid)
    {
        var report = Inspect(cookie);
        Assert.Equal((verdict, valid), (report.Cookies[0].Verdict, report.Valid));
    }

    /// <summary>An operator who asked what was wrong got 500.</summary>
    [Fact]
    public void A_dialect_that_fails_on_a_value_takes_it_for_a_foreign_one()
    {
        var report = Create(dialect: new Touchy()).Inspect(InspectionInput.Parse("Cookie: AFF=anything"), showValues: false);
        Assert.Equal(InspectionVerdicts.Unrecognised, Assert.Single(report.Cookies).Verdict);
    }

    [Fact]
    public void A_dialect_that_names_no_node_says_so()
    {
        var report = Create(dialect: new OpaqueDialect()).Inspect(InspectionInput.Parse("Cookie: AFF=abcdefghijklmnop"), showValues: false);
        Assert.Contains("name no node", report.Cookies[0].Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_keys_of_the_store_are_told_by_their_times()
    {
        var ring = RingKey.Create(Sample.Now.AddDays(-2), Sample.Now.AddDays(-2).AddHours(1));
        var vault = new FakeKeyVault();
        vault.Put(VaultSigningKeys.RingName, ring.ToElement());
        var time = new ManualTime(Sample.Now);
        var log = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
        using var elements = new VaultRing(vault, VaultSigningKeys.RingName, time, log);
        var keys = new VaultSigningKeys(elements, time, log);
        Assert.True(await elements.RefreshAsync(default));
        var reads = vault.Reads;
        var inspector = Create(time, keys);

        var known = inspector.Inspect(InspectionInput.Parse(Sample.Codec().Encode(Sample.Ticket(), ring.Key)), showValues: false).Cookies[0];
        var unknown = inspector.Inspect(InspectionInput.Parse(Sample.Codec().Encode(Sample.Ticket(), Sample.Key())), showValues: false).Cookies[0];
        var ofSecret = inspector.Inspect(InspectionInput.Parse(Genuine), showValues: false).Cookies[0];

        Assert.Equal(("valid", "ring of the store, added 2029-12-30, signs from 2029-12-30 on; signs now"), (known.Verdict, known.Envelope?.KeyIs));
        Assert.Equal(("unknown_key", null), (unknown.Verdict, unknown.Envelope?.KeyIs));
        Assert.DoesNotContain("Affinity:Secrets", unknown.Why, StringComparison.Ordinal);
        Assert.Contains("looks like that of a key out of Affinity:Secrets", ofSecret.Why, StringComparison.Ordinal);
        Assert.Equal(reads, vault.Reads);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Cookie: theme=dark; AF=node-a")]
    [InlineData("Cookie: __HOST-AFFINITY=x")]
    public void A_header_without_a_cookie_of_ours_is_not_valid_and_says_what_was_looked_for(string header)
    {
        var report = Create().Inspect(InspectionInput.OfRequest(header), showValues: false);

        Assert.Equal((0, false), (report.Cookies.Count, report.Valid));
        Assert.Contains("__Host-affinity, __Host-affinity-binding or AFF", Assert.Single(report.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cookie_is_found_in_every_way_that_people_paste_it()
    {
        string[] ways =
        [
            Genuine, $"  {Genuine}\r\n", $"{Sample.CookieName}={Genuine}", $"a=b; {Sample.CookieName}={Genuine}", $"Cookie: {Sample.CookieName}={Genuine}", $"cookie:{Sample.CookieName}={Genuine};a=b\n",
            $"Set-Cookie: {Sample.CookieName}={Genuine}; Path=/; Secure; HttpOnly; SameSite=Lax", $"Set-Cookie: AFF=a; Path=/\nSet-Cookie: {Sample.CookieName}={Genuine}; Path=/",
        ];
        Assert.All(ways, way => Assert.True(Inspect(way).Cookies[0] is { Is: "ticket", Valid: true, Length: 138 }));
    }

    [Fact]
    public void No_changed_bit_no_cut_and_no_text_without_sense_counts_or_throws()
    {
        var inspector = Create();
        var bytes = Sample.Bytes(Genuine);
        var random = new Random(20300101);
        for (var i = 0; i < bytes.Length * 8; i++)
        {
            bytes[i / 8] ^= (byte)(1 << (i % 8));
            Refuses(Sample.Text(bytes));
            bytes[i / 8] ^= (byte)(1 << (i % 8));
        }

        for (var i = 0; i < Genuine.Length; i++)
        {
            Refuses(Genuine[..i]);
            Refuses(Genuine[(i + 1)..]);
        }

        for (var i = 0; i < 1000; i++)
        {
            var noise = string.Concat(Enumerable.Range(0, random.Next(300)).Select(_ => (char)random.Next(random.Next(2) == 0 ? 128 : 0x10000)));
            Refuses(noise);
            Refuses($"Cookie: {Sample.CookieName}={noise.Replace('\n', ' ').Replace('\r', ' ')}; {BindingName}={noise}");
        }

        void Refuses(string text) => Assert.DoesNotContain(inspector.Inspect(InspectionInput.Parse(text), showValues: true).Cookies, cookie => cookie.Valid && cookie.Is != "route");
    }

    /// <summary>A ticket with so much content that it takes three cookies.</summary>
    private static List<string> Spread(int seed)
    {
        var value = new byte[5950];
        new Random(seed).NextBytes(value);
        List<string> cookies = [.. TicketChunks.Spread(Sample.CookieName, Sample.Codec().Encode(Sample.Ticket() with { Content = [1, .. Session("k", value)] }, Key)).Select(pair => $"{pair.Key}={pair.Value}")];
        Assert.Equal(3, cookies.Count);
        return cookies;
    }

    private static string[] Verdicts(InspectionReport report) => [.. report.Cookies.Select(cookie => cookie.Verdict)];

    private static IEnumerable<string> Cases() =>
        typeof(InspectorVerdictTests).GetMethod(nameof(A_ticket_is_judged_with_its_reason))!.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .Cast<InlineDataAttribute>().Select(data => (string)data.GetData(null!).Single()[0]);

    private static string Changed(int at)
    {
        var bytes = Sample.Bytes(Genuine);
        bytes[at] ^= 0x10;
        return Sample.Text(bytes);
    }

    private static SigningKey KeyAt(DateTimeOffset time) => new SecretSigningKeys([Sample.Secret], new ManualTime(time)).Current;

    private static SignedEnvelope Envelope(byte kind, string constant) => new(kind, constant, Sample.Application, Sample.CookieName, TicketCodec.MaxTextLength);

    private sealed class Touchy : IAffinityDialect
    {
        public bool NeedsAddress => false;

        public bool Steers => true;

        public string Write(RouteTarget target, string token) => target.Node.Value;

        public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => throw new FormatException("It fails on purpose.");
    }
}
