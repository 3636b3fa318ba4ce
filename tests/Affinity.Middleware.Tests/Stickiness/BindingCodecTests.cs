using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class BindingCodecTests
{
    private readonly FixedKeys _keys = new(Sample.Key());
    private readonly BindingCodec _codec = BindingSample.Codec();

    private static string Genuine => BindingSample.Codec().Encode(BindingSample.Whole, Sample.Key());

    /// <summary>The golden texts were computed by a program of another language.</summary>
    [Fact]
    public void The_golden_bindings_are_written_byte_for_byte()
    {
        Assert.Equal(Sample.Golden("binding-v1.txt"), Genuine);
        Assert.Equal(Sample.Golden("binding-v1-bare.txt"), _codec.Encode(BindingSample.Bare, Sample.Key()));
        var current = new SecretSigningKeys([Sample.Secret], new ManualTime(Sample.Now)).Current;
        Assert.Equal(Sample.Golden("binding-v1-secret.txt"), _codec.Encode(BindingSample.Whole, current));
    }

    [Fact]
    public void The_golden_bindings_are_read()
    {
        Assert.Equal(new BindingDecoding(TicketReasons.Valid, BindingSample.Whole), Decode(Sample.Golden("binding-v1.txt")));
        Assert.Equal(new BindingDecoding(TicketReasons.Valid, BindingSample.Bare), Decode(Sample.Golden("binding-v1-bare.txt")));
    }

    [Fact]
    public void Every_binding_comes_back_as_it_was() =>
        Prop.ForAll<int, int, bool>((seed, seconds, tracked) =>
        {
            var random = new Random(seed);
            var binding = new Binding(NodeId.Parse(Name(random)), seconds % 2 == 0 ? null : Sample.Now.AddSeconds(seconds / 2))
            {
                Track = tracked ? Name(random) : null, TrackUntil = tracked ? Sample.Now.AddSeconds(seconds / 2) : null, Repairs = random.Next(Binding.MaxRepairs + 1),
            };
            var text = _codec.Encode(binding, Sample.Key());
            return text.Length <= BindingCodec.MaxTextLength && Decode(text) == new BindingDecoding(TicketReasons.Valid, binding);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_largest_binding_is_168_characters_long_and_comes_back()
    {
        var name = new string('x', NodeId.MaxLength);
        var largest = BindingSample.Whole with { Node = NodeId.Parse(name), Track = name, Repairs = Binding.MaxRepairs };
        var text = _codec.Encode(largest, Sample.Key());
        Assert.Equal((168, BindingCodec.MaxTextLength), (text.Length, text.Length));
        Assert.Equal(largest, Decode(text).Binding);
    }

    [Fact]
    public void A_longer_text_is_refused_before_it_is_decoded()
    {
        Assert.Equal(TicketReasons.BadLength, Decode(new string('!', BindingCodec.MaxTextLength + 1)).Reason);
        Assert.Equal(TicketReasons.BadText, Decode(new string('!', BindingCodec.MaxTextLength)).Reason);
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
        var genuine = Sample.Golden("binding-v1-bare.txt");
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
    public void Every_truncation_and_extension_is_refused()
    {
        var (text, bytes) = (Genuine, Sample.Bytes(Genuine));
        for (var i = 0; i < text.Length; i++)
        {
            AssertRefused(text[..i]);
            AssertRefused(text[(i + 1)..]);
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            AssertRefused(Sample.Text([.. bytes[..i], .. bytes[(i + 1)..]]));
            AssertRefused(Sample.Text([.. bytes[..i], 0, .. bytes[i..]]));
        }

        foreach (var more in new[] { "A", "AA", "AAA", "AAAA", "=", "==", " ", "%3D", "\0", text })
        {
            AssertRefused(text + more);
            AssertRefused(more + text);
        }
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("node-a")]
    [InlineData("AQI=")]
    [InlineData("\0\0\0\0")]
    [InlineData("\"AQIBAgMEBQYHCA\"")]
    [InlineData("%41%51%49\r\nSet-Cookie: a=b")]
    [InlineData("\u0410\u0411\u0412\ud83d\ude00\ud800")]
    public void Hostile_text_is_refused(string text)
    {
        AssertRefused(text);
        AssertRefused(text + Genuine);
        AssertRefused(Genuine + text + "A");
    }

    [Fact]
    public void Random_text_and_bytes_are_refused_without_an_exception()
    {
        Prop.ForAll<string>(text => Decode(text).Binding is null).QuickCheckThrowOnFailure();
        Prop.ForAll<byte[]>(bytes => Decode(Sample.Text(bytes)).Binding is null).QuickCheckThrowOnFailure();
        Prop.ForAll<byte[]>(bytes => Decode(Sample.Text([.. Sample.Bytes(Genuine)[..10], .. bytes])).Binding is null).QuickCheckThrowOnFailure();
    }

    /// <summary>Both are signed with one key; were the cookies' names equal too, the constants would still tell them apart.</summary>
    [Fact]
    public void A_ticket_is_no_binding_and_a_binding_is_no_ticket()
    {
        var ticket = Sample.Codec(cookie: BindingSample.CookieName).Encode(Sample.Ticket(), Sample.Key());
        Assert.Equal(TicketReasons.BadMac, Decode(ticket).Reason);
        Assert.Equal(TicketReasons.BadMac, Sample.Codec(cookie: BindingSample.CookieName).Decode(Genuine, _keys).Reason);
    }

    [Fact]
    public void Another_kind_is_refused_although_it_is_genuine() =>
        Assert.Equal(TicketReasons.BadKind, Decode(Resigned(signed => signed[1] = 1)).Reason);

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(255)]
    public void Another_format_of_the_envelope_is_refused_although_it_is_genuine(byte version) =>
        Assert.Equal(TicketReasons.BadVersion, Decode(Resigned(signed => signed[0] = version)).Reason);

    [Fact]
    public void What_is_not_a_binding_is_refused_although_it_is_genuine()
    {
        Assert.Equal(TicketReasons.BadBody, Decode(Resigned(signed => signed[10] = 2)).Reason);
        Assert.Equal(TicketReasons.BadBody, Decode(Signed([.. Sample.Bytes(Genuine)[..^SigningKey.MacSize], 0])).Reason);
        Assert.Equal(TicketReasons.BadBody, Decode(Signed([.. Sample.Bytes(Genuine)[..11]])).Reason);
        Assert.Equal(TicketReasons.BadLength, Decode(Signed([.. Sample.Bytes(Genuine)[..10]])).Reason);
    }

    [Theory]
    [InlineData("shop2", BindingSample.CookieName)]
    [InlineData("Shop", BindingSample.CookieName)]
    [InlineData("", BindingSample.CookieName)]
    [InlineData(Sample.Application, "affinity-insecure-binding")]
    [InlineData("shop__Host-", "affinity-binding")]
    public void A_binding_of_another_application_or_cookie_is_refused(string application, string cookie) =>
        Assert.Equal(TicketReasons.BadMac, Decode(BindingSample.Codec(application, cookie).Encode(BindingSample.Whole, Sample.Key())).Reason);

    [Fact]
    public void A_binding_under_another_key_of_the_same_name_is_refused() =>
        Assert.Equal(TicketReasons.BadMac, Decode(_codec.Encode(BindingSample.Whole, Sample.Key(seed: 8))).Reason);

    [Fact]
    public void A_binding_under_an_unknown_key_names_the_key() =>
        Assert.Equal(
            new BindingDecoding(TicketReasons.UnknownKey, UnknownKey: new SigningKeyId(9)), Decode(_codec.Encode(BindingSample.Whole, Sample.Key(id: 9))));

    [Fact]
    public void What_no_reader_takes_is_not_written() =>
        Assert.Throws<ArgumentException>(() => _codec.Encode(BindingSample.Whole with { Track = new string('x', 5000) }, Sample.Key()));

    private BindingDecoding Decode(string text) => _codec.Decode(text, _keys);

    private void AssertRefused(string text)
    {
        var decoding = Decode(text);
        Assert.Null(decoding.Binding);
        Assert.False(string.Equals(TicketReasons.Valid, decoding.Reason, StringComparison.Ordinal));
    }

    private static string Name(Random random) => random.GetString("ABCXYZabcxyz0189_-", random.Next(1, NodeId.MaxLength + 1));

    /// <summary>A genuine binding after a change: what somebody who has the key could write.</summary>
    private static string Resigned(Action<byte[]> change)
    {
        var signed = Sample.Bytes(Genuine)[..^SigningKey.MacSize];
        change(signed);
        return Signed(signed);
    }

    private static string Signed(byte[] signed)
    {
        // Spelt out once more, so that a change of the MAC's input shows.
        byte[] input =
            [0, 0, 0, 16, .. "Affinity binding"u8, 0, 0, 0, 4, .. "shop"u8, 0, 0, 0, 23, .. "__Host-affinity-binding"u8, 0, 0, 0, (byte)signed.Length, .. signed];
        var mac = new byte[SigningKey.MacSize];
        Sample.Key().Sign(input, mac);
        return Sample.Text([.. signed, .. mac]);
    }
}
