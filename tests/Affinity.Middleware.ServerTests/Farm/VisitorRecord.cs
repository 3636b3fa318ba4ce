using System.Buffers.Text;
using System.Security.Cryptography;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using StackExchange.Redis;

namespace Affinity.ServerTests.Farm;

/// <summary>Where a visitor of a <see cref="ProbeFarm"/> has their session in Redis, and what lies there.</summary>
internal static class VisitorRecord
{
    private static readonly string Prefix = $"affinity:{typeof(SessionProbe).Assembly.GetName().Name}:s:";

    /// <summary>By the id in the ticket, as docs/security.md has it.</summary>
    public static string RecordName(this Visitor visitor) =>
        Prefix + Base64Url.EncodeToString(SHA256.HashData(Base64Url.DecodeFromChars(visitor.Cookies["__Host-affinity"]).AsSpan(35, 16)));

    /// <summary>All fields, to the byte.</summary>
    public static async Task<string> FieldsOfAsync(this IDatabase database, Visitor visitor) => string.Join(
        ' ', (await database.HashGetAllAsync(visitor.RecordName())).Select(entry => $"{entry.Name}={Convert.ToHexString((byte[])entry.Value!)}").Order(StringComparer.Ordinal));
}
