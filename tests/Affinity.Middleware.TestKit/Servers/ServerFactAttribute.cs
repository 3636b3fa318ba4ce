using Xunit;

namespace Affinity.TestKit;

/// <summary>A fact that needs real servers; skipped, visibly, where one is missing, except in CI (see <see cref="Requirements"/>).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ServerFactAttribute : FactAttribute
{
    /// <summary>A fact with these needs.</summary>
    public ServerFactAttribute(Needs needs)
    {
        Needs = needs;
        Skip = Requirements.SkipReason(needs);
    }

    /// <summary>What must be installed.</summary>
    public Needs Needs { get; }
}
