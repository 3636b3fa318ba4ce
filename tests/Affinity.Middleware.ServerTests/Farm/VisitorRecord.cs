using System.Buffers.Text;
using System.Security.Cryptography;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Affinity.Tickets;
using StackExchange.Redis;

namespace Affinity.ServerTests.Farm;

/// <summary>Where a visitor of a <see cref="ProbeFarm"/> has their session in Redis, and what lies there.</summary>
internal static class VisitorRecord
{
    private static readonly string Prefix = $"affinity:{typeof(SessionProbe).Assembly.GetName().Name}:s:";

    /// <summary>By the id in the ticket, as docs/security.md has it.</summary>
    public static string RecordName(this Visitor visitor) => Prefix + Base64Url.EncodeToString(SHA256.HashData(SessionOf(visitor)));

    /// <summary>What the log calls the session.</summary>
    public static string SessionFingerprint(this Visitor visitor) => SessionId.TryRead(SessionOf(visitor), out var id) ? id.ToFingerprint() : throw new InvalidOperationException("The ticket names no session.");

    /// <summary>All fields, to the byte.</summary>
    public static async Task<string> FieldsOfAsync(this IDatabase database, Visitor visitor) => string.Join(
        ' ', (await database.HashGetAllAsync(visitor.RecordName())).Select(entry => $"{entry.Name}={Convert.ToHexString((byte[])entry.Value!)}").Order(StringComparer.Ordinal));

    private static byte[] SessionOf(Visitor visitor) => Base64Url.DecodeFromChars(visitor.Cookies["__Host-affinity"])[35..51];
}
