using System.Text;

namespace Affinity.ServerTests.Backends;

/// <summary>What somebody who can write to the store, a bug, or a broken disk may put where a field of a record should be. The same at every run.</summary>
internal static class HostileBytes
{
    private static readonly string[] Texts =
    [
        "", " ", "0", "-1", "+1", "01", "1.0", "1e3", "1e308", "nan", "inf", "0x10", "5 ", " 5", "5\n", "\0", "5\05", "١٢٣", "999999999999999", "2147483647", "2147483648", "4294967296", "9007199254740993",
        "4611686018427387905", "9223372036854775807", "9223372036854775808", "18446744073709551614", "18446744073709551615", "18446744073709551616", "99999999999999999999", "123456789012345678901",
        "0000000000000000", "ffffffffffffffff", "FFFFFFFFFFFFFFFF", "fffffffffffffff", "gggggggggggggggg", ",", ",,,,", ",1-", ",-1,", ",1-0000000000000000,", ",9-0000000000000001,8-0000000000000001,", "1", "1,2,3,4",
        ",18446744073709551615-ffffffffffffffff,", ",99999999999999999999999999-ffffffffffffffff,", "%d+", "%f%s", "]]", "return 1",
    ];

    /// <summary>In place of a field whose value was this.</summary>
    public static IEnumerable<byte[]> InPlaceOf(byte[] value, int seed)
    {
        foreach (var text in Texts)
        {
            yield return Encoding.UTF8.GetBytes(text);
        }

        yield return [0xff, 0xfe, 0x80, 0xc0];
        yield return Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(",1-0000000000000001", 50_000)));
        yield return Encoding.ASCII.GetBytes(new string('9', 300_000));
        var random = new Random(seed);
        for (var i = 0; i < 12; i++)
        {
            var bytes = new byte[random.Next(1, 64)];
            random.NextBytes(bytes);
            yield return bytes;
            yield return value[..random.Next(value.Length)];
            var flipped = (byte[])value.Clone();
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
            yield return flipped;
        }
    }

    /// <summary>A few per field of a session's record, of which each has failed requests with 500, opened a breaker or held up the server.</summary>
    public static IEnumerable<(string Field, byte[] Bytes)> Worst(int seed)
    {
        (string Field, string Text)[] texts =
        [
            ("v", "18446744073709551615"), ("v", "0"), ("v", "2:1"), ("s", "0000000000000000"), ("s", ""), ("g", "2147483647"), ("g", "9999999999"), ("a", "800000000000000"), ("a", "1"), ("a", "x"),
            ("h", "1"), ("h", ",9-0000000000000001,8-0000000000000001,"), ("h", string.Concat(Enumerable.Repeat(",1-0000000000000001", 50_000))), ("p", "damage"), ("p", ""),
        ];
        foreach (var (field, text) in texts)
        {
            yield return (field, Encoding.ASCII.GetBytes(text));
        }

        var random = new Random(seed);
        foreach (var field in (string[])["p", "v", "s", "g", "a", "h"])
        {
            var bytes = new byte[random.Next(1, 64)];
            random.NextBytes(bytes);
            yield return (field, bytes);
        }
    }

    /// <summary>In place of a payload of format 1.</summary>
    public static IEnumerable<byte[]> InPlaceOfPayload(byte[] value, int seed)
    {
        byte[] head = [1, .. new byte[16]];
        yield return [2, .. value[1..]];
        yield return [0, .. value[1..]];
        yield return [.. head, 0x7f, 0xff, 0xff, 0xff];
        yield return [.. head, 0xff, 0xff, 0xff, 0xff];
        yield return [.. head, 0x00, 0x10, 0x00, 0x00, .. new byte[6 * 1024 * 1024]]; // a million items, all with the empty name
        yield return [.. head, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];
        yield return [.. head, 0, 0, 0, 1, 0, 1, 0xff, 0, 0, 0, 0];
        yield return [.. head, 0, 0, 0, 1, 0, 1, (byte)'a', 0xff, 0xff, 0xff, 0xff];
        yield return [.. head, 0, 0, 0, 2, 0, 1, (byte)'a', 0, 0, 0, 0, 0, 1, (byte)'a', 0, 0, 0, 0];
        yield return [1, 0xff, .. value[2..]];
        yield return [1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, .. value[9..]];
        foreach (var bytes in InPlaceOf(value, seed))
        {
            yield return bytes;
        }
    }
}
