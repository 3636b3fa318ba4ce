using Affinity;
using Affinity.Backends;
using Affinity.Backends.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.Extensions.Hosting;

/// <summary>PostgreSQL as the shared store.</summary>
public static class AffinityPostgresExtensions
{
    /// <summary>
    /// Keeps sessions, the node directory and key rings in PostgreSQL, unless <c>Affinity:Store</c> says another store. Not needed where <c>ConnectionStrings:affinity-db</c> is set, which is found without it; it is for settings in code.
    /// </summary>
    /// <param name="builder">What <c>AddAffinity</c> answers.</param>
    /// <param name="configure">Settings in code; they win over the section <c>Affinity:Postgres</c>. Called twice.</param>
    /// <returns>The builder.</returns>
    public static AffinityBuilder UsePostgres(this AffinityBuilder builder, Action<PostgresOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        PostgresBackend.Register(builder.Services);
        builder.Services.Configure<AffinityOptions>(static options => options.Store = options.Store == StoreKind.Automatic ? StoreKind.Postgres : options.Store);
        if (configure is not null)
        {
            builder.Services.Configure(configure);
            var said = new PostgresOptions();
            configure(said);
            builder.Services.PostConfigure<AffinityOptions>(options => options.HasDatabase |= said.ConnectionString is { Length: > 0 });
        }

        return builder;
    }
}
