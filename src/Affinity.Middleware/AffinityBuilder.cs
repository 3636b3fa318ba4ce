using Microsoft.Extensions.DependencyInjection;

namespace Affinity;

/// <summary>What <c>AddAffinity</c> answers: the place where packages with other backends add themselves.</summary>
public sealed class AffinityBuilder
{
    internal AffinityBuilder(IServiceCollection services) => Services = services;

    /// <summary>The app's services.</summary>
    public IServiceCollection Services { get; }
}
