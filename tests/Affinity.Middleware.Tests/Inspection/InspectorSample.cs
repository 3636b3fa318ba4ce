using Affinity.Inspection;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;

namespace Affinity.Tests.Inspection;

/// <summary>An inspector with the keys of <see cref="Sample"/>, at its time, and cookies for it.</summary>
internal static class InspectorSample
{
    public const string BindingName = "__Host-affinity-binding";

    public static SigningKey Key => new SecretSigningKeys([Sample.Secret], new ManualTime(Sample.Now)).Current;

    public static string Genuine => Sample.Codec().Encode(Sample.Ticket(), Key);

    public static Binding NodeA => new(NodeId.Parse("node-a"), Sample.Now.AddHours(1)) { Track = "blue", TrackUntil = Sample.Now.AddDays(1), Repairs = 2 };

    public static CookieInspector Create(
        TimeProvider? time = null, ISigningKeys? keys = null, InspectionScope? scope = null, TicketSeal? seal = null, IAffinityDialect? dialect = null, SessionsOptions? sessions = null, params string[] live)
    {
        time ??= new ManualTime(Sample.Now);
        RouteTarget[] targets = [.. live.Select(node => new RouteTarget(NodeId.Parse(node)))];
        return new CookieInspector(
            scope ?? Scope, keys ?? new SecretSigningKeys([Sample.Secret], time), new SectionInspector(seal, sessions), dialect ?? new PlainDialect(), live.Length == 0 ? null : () => targets, time);
    }

    public static InspectionScope Scope => new(Sample.Application, [Sample.CookieName], [BindingName], "AFF")
    {
        OtherTicketNames = ["affinity-insecure"],
        OtherBindingNames = ["affinity-insecure-binding"],
    };

    public static string Encode(Binding binding, string name = BindingName, string application = Sample.Application) => new BindingCodec(application, name).Encode(binding, Key);

    /// <summary>A session of one key, as it rides in a ticket.</summary>
    public static byte[] Session(string key, byte[] value) =>
        SessionCodec.Encode(Sample.Now, Sample.Now, new Dictionary<string, byte[]>(StringComparer.Ordinal) { [key] = value }, maxBytes: 100_000);

    public static InspectionReport Inspect(string text, bool showValues = false) => Create().Inspect(InspectionInput.Parse(text), showValues);
}
