using Affinity.Stickiness;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity;

/// <summary>What <c>AddAffinity</c> answers: the place where packages with other backends add themselves.</summary>
public sealed class AffinityBuilder
{
    internal AffinityBuilder(IServiceCollection services) => Services = services;

    /// <summary>The app's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Writes and reads route cookies in a dialect of the app's own, whatever <c>Affinity:Stickiness:Dialect</c> says; <see cref="ComputedDialect"/> has those of balancers that compute the value. The last one counts.
    /// </summary>
    /// <param name="dialect">Serves all requests at once.</param>
    /// <returns>This builder.</returns>
    public AffinityBuilder UseDialect(IAffinityDialect dialect)
    {
        ArgumentNullException.ThrowIfNull(dialect);
        Services.AddSingleton(new CustomDialect(dialect));
        return this;
    }
}
