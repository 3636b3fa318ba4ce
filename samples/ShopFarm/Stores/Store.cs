namespace ShopFarm.Stores;

/// <summary>What the shops share, and how they are told of it.</summary>
/// <param name="name">As people read it.</param>
/// <param name="settings">For every shop, as environment variables.</param>
/// <param name="processes">What was started for it.</param>
internal sealed class Store(string name, IReadOnlyDictionary<string, string> settings, params ChildProcess[] processes) : IAsyncDisposable
{
    /// <summary>Every kind, as <c>--store</c> names it.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["redis", "postgres", "redis-over-postgres", "cookie", "memory"];

    public string Name { get; } = name;

    public IReadOnlyDictionary<string, string> Settings { get; } = settings;

    /// <summary>How many sessions it holds, null when that can't be asked in a simple way.</summary>
    public Func<Task<int?>> CountSessionsAsync { get; init; } = () => Task.FromResult<int?>(null);

    private ChildProcess[] Processes { get; init; } = processes;

    public static async Task<Store> StartAsync(FarmOptions options, string folder, string logs, CancellationToken cancellationToken)
    {
        switch (options.Store)
        {
            case "redis":
                return await RedisStore.StartAsync(options, logs, cancellationToken);
            case "postgres":
                return await PostgresStore.StartAsync(options, folder, logs, cancellationToken);
            case "redis-over-postgres":
                var database = await PostgresStore.StartAsync(options, folder, logs, cancellationToken);
                try
                {
                    return (await RedisStore.StartAsync(options, logs, cancellationToken)).Over(database);
                }
                catch
                {
                    await database.DisposeAsync();
                    throw;
                }

            case "cookie":
                // The shops run on one host and can share a directory; the signing secret they have from the farm.
                return new Store("the visitor's cookie", Settings("Affinity__Sessions__Carrier", "Cookie", "Affinity__KeyDirectory", Path.Combine(folder, "keys")));
            default:
                return new Store("each shop's memory: a killed shop takes its baskets along", Settings("Affinity__Store", "Memory"));
        }

        static Dictionary<string, string> Settings(params string[] pairs) => pairs.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Processes)
        {
            await process.DisposeAsync();
        }
    }

    /// <summary>This as a cache in front of a database.</summary>
    private Store Over(Store database) =>
        new($"{Name} over {database.Name}", new Dictionary<string, string>([.. Settings, .. database.Settings, new("Affinity__Store", "RedisOverPostgres")], StringComparer.Ordinal), [.. Processes, .. database.Processes]);
}
