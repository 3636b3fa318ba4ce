using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.Tests.Tickets;

namespace Affinity.Tests.Stickiness;

/// <summary>Bindings and codecs with fixed values.</summary>
internal static class BindingSample
{
    public const string CookieName = "__Host-affinity-binding";

    public static readonly Binding Bare = new(NodeId.Parse("node-a"));

    public static readonly Binding Whole = new(NodeId.Parse("node-a"), Sample.Now.AddHours(1)) { Track = "blue", TrackUntil = Sample.Now.AddDays(1), Repairs = 3 };

    public static BindingCodec Codec(string application = Sample.Application, string cookie = CookieName) => new(application, cookie);
}
