using System.Globalization;
using System.Security.Cryptography;
using Affinity.Backends;
using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.Tickets;

namespace Affinity;

/// <summary>Which settings all nodes must agree on: those by which one node makes what another reads. What only concerns the node itself, as its name, its drain or its memory, is left out.</summary>
internal static class FarmSettings
{
    private const int SecretIdSize = 16;
    private static readonly byte[] SecretIdPurpose = "Affinity id of a secret, to compare settings"u8.ToArray();

    /// <param name="options">Validated.</param>
    /// <param name="protection">The Data Protection application name.</param>
    /// <param name="dialect">The app's own; null: one of Affinity's.</param>
    /// <param name="more">Those of other packages.</param>
    public static AgreedSettings Of(AffinityOptions options, string? protection, IAffinityDialect? dialect = null, IEnumerable<AgreedSetting>? more = null)
    {
        var (sessions, stickiness, ticket) = (options.Sessions, options.Stickiness, options.Ticket);
        var usesRedis = options.ChosenStore is StoreKind.Redis or StoreKind.RedisOverPostgres;
        return new AgreedSettings(
        [
            New("ap", "Affinity:Application", options.Application),
            New("bC", "Affinity:StandbyStore:Configuration", new RedisOptions { Configuration = options.StandbyStore.Configuration }.Servers),
            New("bM", "Affinity:StandbyStore:MoveAfter", options.HasStandby ? options.StandbyStore.MoveAfter : TimeSpan.Zero),
            New("dp", "the Data Protection application name", protection),
            New("fl", "the format level of the release", FormatRules.Newest),
            New("kd", "Affinity:KeyDirectory", options.KeyDirectory is null ? "not set" : "set"), // its path may differ between machines
            New("ra", "Affinity:Redis:Configuration", options.ChosenStore == StoreKind.RedisOverPostgres ? options.Redis.Servers : ""), // else nodes that see each other have the same
            New("rk", "Affinity:Redis:DataProtectionKey", usesRedis ? options.Redis.DataProtectionKey : ""),
            New("rp", "Affinity:Redis:KeyPrefix", usesRedis ? options.Redis.KeyPrefix : ""),
            New("sA", "Affinity:Sessions:AbsoluteTimeout", sessions.AbsoluteTimeout),
            New("sB", "Affinity:Sessions:MaxBytes", sessions.MaxBytes),
            New("sC", "Affinity:Sessions:Carrier", sessions.Carrier),
            New("sF", "Affinity:Sessions:Cookie:Floor", sessions.Cookie.Floor),
            New("sI", "Affinity:Sessions:IdleTimeout", sessions.IdleTimeout),
            New("sP", "Affinity:Sessions:Cookie:Protection", sessions.Cookie.Protection),
            New("ss", "Affinity:Secrets", SecretIds(options.Secrets)),
            New("st", "Affinity:Store", options.ChosenStore),
            New("tB", "Affinity:Ticket:MaxBytes", ticket.MaxBytes),
            New("tN", "Affinity:Ticket:CookieName", TicketCookie.NameOf(ticket)),
            New("tS", "Affinity:Ticket:SameSite", ticket.SameSite),
            New("vA", "Affinity:Stickiness:ApplicationCookie", stickiness.ApplicationCookie),
            New("vB", "Affinity:Stickiness:Bind", stickiness.Bind),
            New("vD", "Affinity:Stickiness:Dialect", DialectId(dialect) ?? stickiness.Dialect.ToString()),
            New("vE", "Affinity:Stickiness:Enabled", stickiness.Enabled),
            New("vL", "Affinity:Stickiness:Lifetime", stickiness.Lifetime),
            New("vN", "Affinity:Stickiness:CookieName", stickiness.CookieName),
            New("vO", "Affinity:Stickiness:Ownership", stickiness.Ownership),
            New("vT", "Affinity:Stickiness:Duration", stickiness.Duration),
            New("vV", "Affinity:Stickiness:TrackDuration", stickiness.TrackDuration),
            .. more ?? [],
        ]);
    }

    private static AgreedSetting New(string code, string name, IFormattable value) => New(code, name, value.ToString(format: null, CultureInfo.InvariantCulture));

    private static AgreedSetting New(string code, string name, bool value) => New(code, name, value ? "true" : "false");

    private static AgreedSetting New(string code, string name, string? value) => new(code, name, value ?? "(null)");

    /// <summary>Its type, and of one that computes its values also what they are made with.</summary>
    private static string? DialectId(IAffinityDialect? dialect) => dialect is ComputedDialect computed ? $"{computed.GetType().FullName} {computed.Fingerprint}" : dialect?.GetType().FullName;

    /// <summary>In no order: which one signs may differ, as all verify.</summary>
    private static string SecretIds(IEnumerable<string> secrets) => string.Join(
        ' ', secrets.Select(secret => Convert.ToHexString(HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromBase64String(secret), SecretIdSize, info: SecretIdPurpose))).Order(StringComparer.Ordinal));
}
