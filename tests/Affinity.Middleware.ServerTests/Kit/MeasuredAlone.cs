using Xunit;

namespace Affinity.ServerTests.Kit;

/// <summary>Tests that measure time run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuredAlone
{
    public const string Name = nameof(MeasuredAlone);
}
