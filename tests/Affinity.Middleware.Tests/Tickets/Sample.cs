using System.Buffers.Text;
using System.Runtime.CompilerServices;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

/// <summary>Tickets, keys and codecs with fixed values.</summary>
internal static class Sample
{
    public const string Application = "shop";
    public const string CookieName = "__Host-affinity";

    /// <summary>Noon of 1 January 2030.</summary>
    public static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly string Secret = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    public static readonly string OtherSecret = Convert.ToBase64String([.. Enumerable.Range(100, 32).Select(i => (byte)i)]);

    public static SigningKey Key(ulong id = 0x0102030405060708, byte seed = 7) =>
        new(new SigningKeyId(id), [.. Enumerable.Range(0, SigningKey.Size).Select(i => (byte)(seed + i))]);

    public static SessionId Session(byte seed = 1)
    {
        byte[] bytes = [.. Enumerable.Range(0, SessionId.Size).Select(i => (byte)(seed + i))];
        Assert.True(SessionId.TryRead(bytes, out var id));
        return id;
    }

    public static Ticket Ticket(byte session = 1, ulong counter = 7) => new(
        Session(session), new SessionVersion(counter, 0x3FA9_0000_0000_0001), Generation: 2, Now, Now.AddMinutes(20), Now.AddHours(24));

    public static TicketCodec Codec(TimeProvider? time = null, string application = Application, string cookie = CookieName) =>
        new(application, cookie, time ?? new ManualTime(Now));

    public static byte[] Bytes(string text) => Base64Url.DecodeFromChars(text);

    public static string Text(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    public static string Golden(string name, [CallerFilePath] string here = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "golden", name)).TrimEnd('\n');
}
