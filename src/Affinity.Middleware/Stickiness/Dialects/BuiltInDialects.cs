using System.Diagnostics;

namespace Affinity.Stickiness;

/// <summary>The dialects that a setting can name.</summary>
internal static class BuiltInDialects
{
    /// <summary>The dialect of this name, which must be a defined one.</summary>
    public static IAffinityDialect Of(AffinityDialect dialect) => dialect switch
    {
        AffinityDialect.Plain => new PlainDialect(),
        AffinityDialect.Suffix => new SuffixDialect(),
        AffinityDialect.Tagged => new TaggedDialect(),
        AffinityDialect.EnvoyAddress => new EnvoyAddressDialect(),
        AffinityDialect.Opaque => new OpaqueDialect(),
        _ => throw new UnreachableException(),
    };
}
