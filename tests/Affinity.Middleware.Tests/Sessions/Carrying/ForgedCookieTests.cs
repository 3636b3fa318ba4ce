using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>
/// Every forged cookie: each request is served as one of a visitor without a session, nothing is thrown, the reason is counted, nobody sees what is somebody else's, and no cookie is replaced by a request that changes nothing.
/// </summary>
public sealed class ForgedCookieTests : IClassFixture<ForgedCookieTests.Farm>
{
    private const string Name = CookieFarm.Cookie;
    private const string Secret = "of the victim";

    private static readonly Dictionary<string, ForgedCookie> Forgeries = new(StringComparer.Ordinal)
    {
        ["a flipped bit in the signature"] = new(scene => [new(Name, Flipped(scene.Text, ^1))], ["bad_mac"]),
        ["a flipped bit in the content"] = new(scene => [new(Name, Flipped(scene.Text, 100))], ["bad_mac"]),
        ["a key id that nobody has"] = new(scene => [new(Name, Sample.Codec(scene.Time).Encode(scene.Held, Sample.Key(id: 9)))], ["unknown_key"]),
        ["another key under an id of ours"] = new(scene => [new(Name, Sample.Codec(scene.Time).Encode(scene.Held, new SigningKey(scene.Key.Id, new byte[32])))], ["bad_mac"]),
        ["a ticket at its absolute end"] = new(scene => [new(Name, scene.Sign(scene.Held with { IdleUntil = scene.Now, Expires = scene.Now }))], ["expired"]),
        ["a ticket at the end of its idle time"] = new(scene => [new(Name, scene.Sign(scene.Held with { IdleUntil = scene.Now }))], ["valid"], "absent"),
        ["a ticket of another application"] = new(scene => [new(Name, Sample.Codec(scene.Time, "shop2").Encode(scene.Held, scene.Key))], ["bad_mac"]),
        ["a ticket of another cookie"] = new(scene => [new(Name, Sample.Codec(scene.Time, cookie: "affinity-insecure").Encode(scene.Held, scene.Key))], ["bad_mac"]),
        ["a ticket in another cookie"] = new(scene => [new("affinity-insecure", scene.Text)], []),
        ["a binding for a ticket"] = new(scene => [new(Name, new BindingCodec("shop", Name).Encode(new Binding(NodeId.Parse("node-a")), scene.Key))], ["bad_length", "bad_mac"]),
        ["a binding signed as a ticket"] = new(scene => [new(Name, new SignedEnvelope(2, "Affinity ticket", "shop", Name, 4096).Seal(new byte[80], scene.Key))], ["bad_kind"]),
        ["half of a ticket"] = new(scene => [new(Name, scene.Text[..(scene.Text.Length / 8 * 4)])], ["bad_mac"]),
        ["the first characters of a ticket"] = new(scene => [new(Name, scene.Text[..20])], ["bad_length"]),
        ["nothing"] = new(_ => [new(Name, "")], ["bad_length"]),
        ["a ticket with more behind it"] = new(scene => [new(Name, Sample.Text([.. Sample.Bytes(scene.Text), 0, 0, 0]))], ["bad_mac"]),
        ["a ticket twice in one text"] = new(scene => [new(Name, scene.Text + scene.Text)], ["bad_mac", "bad_text"]),
        ["padding"] = new(scene => [new(Name, scene.Text + "=")], ["bad_text"]),
        ["white space"] = new(scene => [new(Name, scene.Text[..50] + " " + scene.Text[50..])], ["bad_text"]),
        ["bits behind the last byte"] = new(scene => [new(Name, Sample.Text(new byte[101])[..^1] + "B")], ["bad_text"]),
        ["the other base64 alphabet"] = new(scene => [new(Name, scene.Text[..50] + "+/" + scene.Text[52..])], ["bad_text"]),
        ["percent encoding"] = new(scene => [new(Name, "%41" + scene.Text[1..])], ["bad_text"]),
        ["quotes"] = new(scene => [new(Name, '"' + scene.Text + '"')], ["bad_text"]),
        ["a name in other letters"] = new(scene => [new(Name.ToUpperInvariant(), scene.Text)], []),
        ["two genuine tickets that differ"] = new(scene => [new(Name, scene.Text), new(Name, scene.Sign(scene.Held with { Generation = 3 }))], ["ambiguous"]),
        ["more cookies than are looked at"] = new(scene => [new(Name, "a"), new(Name, "b"), new(Name, "c"), new(Name, scene.Text)], ["too_many"]),
        ["longer than any cookie"] = new(_ => [new(Name, new string('A', 5000))], ["bad_length"]),
        ["a format of the future"] = new(scene => [new(Name, Sample.Text([2, .. Sample.Bytes(scene.Text)[1..]]))], ["bad_version"]),

        ["parts of two tickets"] = new(scene => [scene.Large[0], scene.OtherLarge[1], scene.Large[2]], ["bad_mac"]),
        ["the first part alone"] = new(scene => [scene.Large[0]], ["chunk_missing"]),
        ["a part too few"] = new(scene => [scene.Large[0], scene.Large[2]], ["chunk_missing"]),
        ["a part twice"] = new(scene => [.. scene.Large, scene.OtherLarge[1]], ["chunk_ambiguous"]),
        ["parts in another order"] = new(scene => [scene.Large[0], new(Name + "-2", scene.Large[2].Value), new(Name + "-3", scene.Large[1].Value)], ["bad_mac", "bad_text"]),
        ["all parts but the first"] = new(scene => [scene.Large[1], scene.Large[2]], ["chunk_missing"]),
        ["a number of 1"] = new(scene => [new(Name, ".1." + scene.Text)], ["chunk_count"]),
        ["a number of 0"] = new(scene => [new(Name, ".0." + scene.Text)], ["chunk_count"]),
        ["a leading zero"] = new(scene => [new(Name, ".03." + scene.Large[0].Value[3..]), scene.Large[1], scene.Large[2]], ["chunk_count"]),
        ["an absurd number"] = new(scene => [new(Name, ".2147483648." + scene.Text), scene.Large[1]], ["chunk_count"]),
        ["no number"] = new(scene => [new(Name, ".." + scene.Text)], ["chunk_count"]),

        ["sealed content called readable"] = new(scene => [new(Name, Flipped(scene.Text, ContentAt, 3))], ["bad_mac"]),
        ["sealed content called readable by somebody with the secret"] = new(scene => [new(Name, scene.Sign(With(scene.Held, 1)))], ["valid"], "unreadable"),
        ["the same where readable content is taken"] = new(scene => [new(Name, scene.Sign(With(scene.Held, 1)))], ["valid"], "unreadable") { IsReadable = true },
        ["readable content called sealed"] = new(scene => [new(Name, Flipped(scene.ReadableText, ContentAt, 3))], ["bad_mac"]) { IsReadable = true },
        ["readable content called sealed by somebody with the secret"] = new(scene => [new(Name, scene.Sign(With(scene.HeldReadable, 2)))], ["valid"], "unreadable") { IsReadable = true },
        ["readable content where it must be sealed"] = new(scene => [new(Name, scene.Sign(scene.HeldReadable))], ["valid"], "unreadable"),
        ["content of a form that nobody writes"] = new(scene => [new(Name, scene.Sign(With(scene.HeldReadable, 9)))], ["valid"], "unreadable") { IsReadable = true },
        ["a deflate bomb"] = new(scene => [new(Name, scene.Sign(scene.Held with { Content = Bomb() }))], ["valid"], "unreadable") { IsReadable = true },
        ["what is no deflate"] = new(scene => [new(Name, scene.Sign(scene.Held with { Content = [3, 0xFF, 0xFF, 0xFF] }))], ["valid"], "unreadable") { IsReadable = true },
        ["a journal for content"] = new(scene => [new(Name, scene.Sign(scene.Held with { Content = [2, .. scene.Journal] }))], ["valid"], "unreadable"),
        ["content for a journal"] = new(scene => [new(Name, scene.Sign(scene.Held with { Journal = scene.Held.Content, Content = null }))], ["valid"], "absent"),
        ["content of another session"] = new(scene => [new(Name, scene.Sign(scene.Other with { Content = scene.Held.Content }))], ["valid"], "unreadable"),
        ["no content"] = new(scene => [new(Name, scene.Sign(scene.Held with { Content = null }))], ["valid"], "absent"),
    };

    private const int ContentAt = 10 + TicketBody.Size + 2;

    private readonly Farm _farm;

    public ForgedCookieTests(Farm farm) => _farm = farm;

    public static TheoryData<string> Names => [.. Forgeries.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_served_without_a_session_and_counted_by_its_reason(string name)
    {
        var forgery = Forgeries[name];
        var node = forgery.IsReadable ? _farm.Readable : _farm.Sealed;
        var scene = await ForgeryScene.SetAsync(_farm.Sealed, _farm.Readable, _farm.Time, Secret);
        Assert.Equal(Secret, await GetAsync(_farm.Sealed, KeyValuePair.Create(Name, scene.Text)));
        _farm.Counted.Clear();
        var logged = _farm.Log.Entries.Count;

        var seen = await GetAsync(node, forgery.Make(scene));

        Assert.Null(seen);
        var (reason, outcomes) = (_farm.Counted.FirstOrDefault(), _farm.Counted.Skip(1).ToArray());
        Assert.True(forgery.Reasons.Length == 0 ? reason is null : forgery.Reasons.Contains(reason), $"counted as {string.Join(", ", _farm.Counted)}");
        Assert.Equal(forgery.Outcome is { } outcome ? [outcome] : [], outcomes);
        Assert.DoesNotContain(_farm.Log.Entries.Skip(logged), entry => entry.Level >= LogLevel.Error && entry.Event.Id != 4060);
        Assert.DoesNotContain(_farm.Log.Entries.Skip(logged), entry => entry.Message.Contains(Secret, StringComparison.Ordinal));
    }

    /// <summary>What the visitor reads; null: nothing, and no cookie was set.</summary>
    private static async Task<string?> GetAsync(PipelineApp node, params KeyValuePair<string, string>[] cookies)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node.Address, "/get/x"));
        request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        using var response = await client.SendAsync(request);
        Assert.DoesNotContain(response.Headers.NonValidated, header => header.Key.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase) && header.Value.ToString().Contains(Name, StringComparison.Ordinal));
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private static string Flipped(string text, Index at, byte bits = 1)
    {
        var bytes = Sample.Bytes(text);
        bytes[at] ^= bits;
        return Sample.Text(bytes);
    }

    private static Ticket With(Ticket ticket, byte form) => ticket with { Content = [form, .. ticket.Content![1..]] };

    private static byte[] Bomb()
    {
        using var buffer = new MemoryStream();
        buffer.WriteByte(3);
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(new byte[2 * 1024 * 1024]);
        }

        Assert.InRange(buffer.Length, 1, 3000);
        return buffer.ToArray();
    }

    /// <summary>Two nodes that share secret and keys: one takes sealed content only, the other readable content too. The tests of the class come one after another.</summary>
    public sealed class Farm : IAsyncLifetime, IDisposable
    {
        private readonly CookieFarm _farm = new();
        private readonly TempDirectory _keys = new();
        private readonly MeterListener _listener = new();

        internal PipelineApp Sealed { get; private set; } = null!;

        internal PipelineApp Readable { get; private set; } = null!;

        internal ConcurrentQueue<string> Counted { get; } = [];

        internal ManualTime Time => _farm.Time;

        internal LogLines Log => _farm.Log;

        public async Task InitializeAsync()
        {
            Sealed = await _farm.StartAsync(options => options.Ticket.MaxBytes = 16_000, keys: _keys);
            Readable = await _farm.StartAsync(options => options.Sessions.Cookie.Protection = ContentProtection.Sign, keys: _keys);
            HashSet<object> mine = [Sealed.Services.GetRequiredService<IMeterFactory>(), Readable.Services.GetRequiredService<IMeterFactory>()];
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name is "affinity.ticket.reads" or "affinity.session.loads" && instrument.Meter.Scope is { } scope && mine.Contains(scope))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => Counted.Enqueue((string)tags[0].Value!));
            _listener.Start();
        }

        public Task DisposeAsync() => _farm.StopAsync();

        public void Dispose()
        {
            _listener.Dispose();
            _keys.Dispose();
        }
    }

    private sealed record ForgedCookie(Func<ForgeryScene, KeyValuePair<string, string>[]> Make, string[] Reasons, string? Outcome = null)
    {
        /// <summary>Whether it goes to the node that takes readable content.</summary>
        public bool IsReadable { get; init; }
    }
}
