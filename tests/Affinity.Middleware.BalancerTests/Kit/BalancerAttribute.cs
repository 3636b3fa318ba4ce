using Affinity.TestKit;

namespace Affinity.BalancerTests.Kit;

/// <summary>What the tests of a class drive, besides redis-server.</summary>
/// <param name="template">The name of its configuration.</param>
/// <param name="program">What must be installed.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class BalancerAttribute(string template, Needs program) : Attribute
{
    public string Template { get; } = template;

    public Needs Program { get; } = program;

    /// <summary>Whether a GET that was in flight on a dying node is run again on another one, so that its visitor sees nothing of it.</summary>
    public bool RepeatsGets { get; init; }

    /// <summary>Whether bound visitors stay with a draining node until it sends them away.</summary>
    public bool KeepsBound { get; init; } = true;
}
