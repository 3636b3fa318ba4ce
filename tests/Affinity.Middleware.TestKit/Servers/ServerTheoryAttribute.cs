using Xunit;

namespace Affinity.TestKit;

/// <summary>A theory that needs real servers; skipped, visibly, where one is missing, except in CI (see <see cref="Requirements"/>).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ServerTheoryAttribute : TheoryAttribute
{
    /// <summary>A theory with these needs.</summary>
    public ServerTheoryAttribute(Needs needs)
    {
        Needs = needs;
        Skip = Requirements.SkipReason(needs);
    }

    /// <summary>What must be installed.</summary>
    public Needs Needs { get; }
}
