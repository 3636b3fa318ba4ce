using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>Makes data sources of a connection string: what it leaves open is set for many short calls.</summary>
internal static class PostgresConnections
{
    private const int ConnectSeconds = 2;
    private const int CommandSeconds = 3;
    private const int CancelMilliseconds = 500;
    private const int MostConnections = 20;
    private const int MostPrepared = 20;
    private const int PreparedAfter = 2;
    private const int AliveAfterSeconds = 5;
    private const int HostSeconds = 1;

    /// <summary>For the primary: of several hosts the one that takes writes.</summary>
    public static NpgsqlDataSource Build(string connectionString) => Build(Read(connectionString), TargetSessionAttributes.ReadWrite);

    /// <summary>For one connection to the primary that is kept for long.</summary>
    public static NpgsqlDataSource BuildApart(string connectionString)
    {
        var settings = Read(connectionString);
        settings.Pooling = false;
        return Build(settings, TargetSessionAttributes.ReadWrite);
    }

    /// <summary>For each replica one. What their connection string does not say is as for the primary.</summary>
    public static IReadOnlyList<NpgsqlDataSource> BuildReplicas(string connectionString, string replicas)
    {
        var said = new NpgsqlConnectionStringBuilder(replicas);
        var settings = Read(connectionString);
        foreach (var keyword in said.Keys)
        {
            settings[keyword] = said[keyword];
        }

        return [.. said.Host!.Split(',').Select(host => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Host = host, TargetSessionAttributes = null }))];
    }

    /// <summary>The settings with what they leave open filled in.</summary>
    public static NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        var said = new NpgsqlConnectionStringBuilder(connectionString);
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // A transaction of the app must neither hold nor take back what is shared.
            Enlist = false,
            TargetSessionAttributes = null,
        };
        Default("Timeout", () => settings.Timeout = ConnectSeconds);
        Default("Command Timeout", () => settings.CommandTimeout = CommandSeconds);
        Default("Cancellation Timeout", () => settings.CancellationTimeout = CancelMilliseconds);
        Default("Maximum Pool Size", () => settings.MaxPoolSize = Math.Max(MostConnections, settings.MinPoolSize));
        Default("Max Auto Prepare", () => settings.MaxAutoPrepare = MostPrepared);
        Default("Auto Prepare Min Usages", () => settings.AutoPrepareMinUsages = PreparedAfter);
        Default("No Reset On Close", () => settings.NoResetOnClose = true); // no call leaves anything in its session
        Default("Keepalive", () => settings.KeepAlive = AliveAfterSeconds);
        Default("Host Recheck Seconds", () => settings.HostRecheckSeconds = HostSeconds);
        Default("Application Name", () => settings.ApplicationName = "affinity");
        return settings;

        void Default(string keyword, Action set)
        {
            if (!said.ShouldSerialize(keyword))
            {
                set();
            }
        }
    }

    private static NpgsqlDataSource Build(NpgsqlConnectionStringBuilder settings, TargetSessionAttributes target)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        return settings.Host!.Contains(',', StringComparison.Ordinal) ? builder.BuildMultiHost().WithTargetSession(target) : builder.Build();
    }
}
