using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Affinity.BalancerTests.Kit;

/// <summary>A fact on a suite's base; skipped, visibly, in every class whose program (<see cref="BalancerAttribute"/>) is missing, except in CI (see <see cref="Requirements"/>).</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Affinity.BalancerTests.Kit." + nameof(BalancerFactDiscoverer), "Affinity.Middleware.BalancerTests")]
public sealed class BalancerFactAttribute : FactAttribute;

public sealed class BalancerFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
    {
        ArgumentNullException.ThrowIfNull(testMethod);
        var program = testMethod.TestClass.Class.GetCustomAttributes(typeof(BalancerAttribute)).Single().GetNamedArgument<Needs>(nameof(BalancerAttribute.Program));
        return Requirements.SkipReason(Needs.Redis | program) is { } reason
            ? new XunitSkippedDataRowTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, reason)
            : base.CreateTestCase(discoveryOptions, testMethod, factAttribute);
    }
}
