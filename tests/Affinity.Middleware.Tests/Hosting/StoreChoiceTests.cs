using Affinity.Backends;
using Affinity.Backends.Memory;
using Affinity.Backends.Redis;
using Affinity.Backends.WriteThrough;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary>Which store it is follows from the settings, and is never a guess.</summary>
public sealed class StoreChoiceTests
{
    [Theory]
    [InlineData(StoreKind.Automatic, false, false, StoreKind.Memory)]
    [InlineData(StoreKind.Automatic, true, false, StoreKind.Redis)]
    [InlineData(StoreKind.Automatic, false, true, StoreKind.Postgres)]
    [InlineData(StoreKind.Memory, true, true, StoreKind.Memory)]
    [InlineData(StoreKind.Redis, true, true, StoreKind.Redis)]
    [InlineData(StoreKind.Postgres, true, true, StoreKind.Postgres)]
    [InlineData(StoreKind.RedisOverPostgres, true, true, StoreKind.RedisOverPostgres)]
    [InlineData(StoreKind.Distributed, true, false, StoreKind.Distributed)]
    public void What_is_said_counts_and_else_the_connection_string_that_is_there(StoreKind said, bool redis, bool database, StoreKind chosen)
    {
        var options = Options(said, redis, database);

        Assert.Equal(chosen, options.ChosenStore);
        Assert.Empty(Faults(options, [.. Enum.GetValues<StoreKind>()]));
    }

    [Theory]
    [InlineData(StoreKind.Memory, SessionCarrier.Store, nameof(PeerSight.Alone))]
    [InlineData(StoreKind.Memory, SessionCarrier.Cookie, nameof(PeerSight.Blind))]
    [InlineData(StoreKind.Distributed, SessionCarrier.Store, nameof(PeerSight.Blind))]
    [InlineData(StoreKind.Distributed, SessionCarrier.Cookie, nameof(PeerSight.Blind))]
    [InlineData(StoreKind.Redis, SessionCarrier.Store, nameof(PeerSight.All))]
    [InlineData(StoreKind.Postgres, SessionCarrier.Cookie, nameof(PeerSight.All))]
    [InlineData(StoreKind.RedisOverPostgres, SessionCarrier.Store, nameof(PeerSight.All))]
    public void Whether_nodes_can_know_each_other_follows_from_the_store_and_the_carrier(StoreKind store, SessionCarrier carrier, string sight)
    {
        var options = Options(store, redis: true, database: true);
        options.Sessions.Carrier = carrier;

        Assert.Equal(sight, options.Sight.ToString());
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("Node:Track=blue", true)]
    [InlineData("Stickiness:Bind=Always", true)]
    [InlineData("Stickiness:Lifetime=Application;Stickiness:ApplicationCookie=SHOP", true)]
    [InlineData("Stickiness:Bind=Always;Stickiness:Ownership=Balancer", false)]
    [InlineData("Stickiness:Bind=Always;Stickiness:Enabled=false", false)]
    public async Task Visitors_without_a_session_are_bound_and_not_counted_with_tracks_with_the_first_response_or_with_a_cookie_of_the_apps(string settings, bool leavesSomeOut)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(settings.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(setting => setting.Split('=')).Select(parts => KeyValuePair.Create<string, string?>("Affinity:" + parts[0], parts[1])));
        builder.AddAffinity();
        await using var app = builder.Build();

        Assert.Equal(leavesSomeOut, app.Services.GetRequiredService<BoundVisitors>().LeavesSomeOut);
    }

    [Fact]
    public void Two_connection_strings_and_no_word_of_which_is_meant_is_a_fault()
    {
        var fault = Assert.Single(Faults(Options(StoreKind.Automatic, redis: true, database: true), [.. Enum.GetValues<StoreKind>()]));

        Assert.Contains("Affinity:Store", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreKind.Automatic)]
    [InlineData(StoreKind.Postgres)]
    public void A_database_without_its_package_is_a_fault_that_names_the_package(StoreKind said)
    {
        var fault = Assert.Single(Faults(Options(said, redis: false, database: true), [StoreKind.Memory, StoreKind.Redis]));

        Assert.Contains("Affinity.Postgres", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreKind.Redis, false)]
    [InlineData(StoreKind.RedisOverPostgres, true)]
    public void A_store_in_Redis_without_an_address_is_a_fault_that_names_the_setting(StoreKind said, bool database)
    {
        var fault = Assert.Single(Faults(Options(said, redis: false, database), [.. Enum.GetValues<StoreKind>()]));

        Assert.Contains("ConnectionStrings:redis", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Redis", typeof(RedisSessionStore), typeof(RedisNodeDirectory), typeof(RedisKeyVault))]
    [InlineData("Memory", typeof(MemorySessionStore), typeof(MemoryNodeDirectory), typeof(MemoryKeyVault))]
    public async Task The_parts_are_those_of_the_store_that_is_chosen(string store, Type sessions, Type nodes, Type keys)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:redis", "localhost:1"), new("Affinity:Store", store)]);
        builder.AddAffinity();
        await using var app = builder.Build();

        Assert.IsType(sessions, app.Services.GetRequiredService<ISessionStore>());
        Assert.IsType(nodes, app.Services.GetRequiredService<INodeDirectory>());
        Assert.IsType(keys, app.Services.GetRequiredService<IKeyVault>());
        Assert.NotNull(app.Services.GetService<ISessionAnnouncements>());
    }

    [Fact]
    public async Task Redis_over_a_database_reads_through_the_cache_and_leaves_all_else_to_the_database()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:redis", "localhost:1"), new("ConnectionStrings:affinity-db", "Host=localhost"), new("Affinity:Store", "RedisOverPostgres")]);
        builder.AddAffinity();
        builder.Services.AddSingleton(new SharedBackend(StoreKind.Postgres)
        {
            Sessions = provider => provider.GetRequiredService<MemorySessionStore>(),
            Announcements = provider => provider.GetRequiredService<MemorySessionStore>(),
            Nodes = provider => provider.GetRequiredService<MemoryNodeDirectory>(),
            Keys = provider => provider.GetRequiredService<MemoryKeyVault>(),
        });
        await using var app = builder.Build();

        Assert.IsType<WriteThroughSessionStore>(app.Services.GetRequiredService<ISessionStore>());
        Assert.IsType<MemoryNodeDirectory>(app.Services.GetRequiredService<INodeDirectory>());
        Assert.IsType<MemoryKeyVault>(app.Services.GetRequiredService<IKeyVault>());
        Assert.IsType<MemorySessionStore>(app.Services.GetRequiredService<ISessionAnnouncements>());
    }

    [Fact]
    public void Redis_over_a_database_without_the_package_of_the_database_is_a_fault_that_names_it()
    {
        var fault = Assert.Single(Faults(Options(StoreKind.RedisOverPostgres, redis: true, database: true), [StoreKind.Memory, StoreKind.Redis, StoreKind.RedisOverPostgres]));

        Assert.Contains("Affinity.Postgres", fault, StringComparison.Ordinal);
    }

    /// <summary>A cache that can only get and set: what it does not offer is kept in the process, or not at all.</summary>
    [Fact]
    public async Task A_backend_may_offer_sessions_alone()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("Affinity:Store", "Distributed"), new("Affinity:Secrets:0", Convert.ToBase64String(new byte[32].Select((_, i) => (byte)i).ToArray()))]);
        builder.AddAffinity();
        builder.Services.AddSingleton(new SharedBackend(StoreKind.Distributed) { Sessions = _ => new MemorySessionStore(TimeProvider.System) });
        await using var app = builder.Build();

        Assert.NotSame(app.Services.GetRequiredService<MemorySessionStore>(), app.Services.GetRequiredService<ISessionStore>());
        Assert.IsType<MemoryNodeDirectory>(app.Services.GetRequiredService<INodeDirectory>());
        Assert.IsType<MemoryKeyVault>(app.Services.GetRequiredService<IKeyVault>());
        Assert.Null(app.Services.GetService<ISessionAnnouncements>());
        Assert.Equal(PeerSight.Blind, app.Services.GetRequiredService<NodeMembership>().Sight);
        Assert.NotNull(app.Services.GetRequiredService<SessionLoader>());
    }

    [Fact]
    public void Settings_of_a_package_are_known_and_what_it_does_not_know_is_named()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("Affinity:Spare:Size", "1"), new("Affinity:Spare:Sise", "1"), new("Affinity:Application", "shop"), new("Affinity:Spear:Size", "1")]).Build();

        var unknown = UnknownSettings.In(configuration.GetSection("Affinity"), typeof(AffinityOptions), typeof(SpareOptions));

        Assert.Equal(["Affinity:Spare:Sise", "Affinity:Spear"], unknown);
    }

    private static AffinityOptions Options(StoreKind said, bool redis, bool database) =>
        new() { Application = "shop", Store = said, HasDatabase = database, Redis = { Configuration = redis ? "localhost:6379" : null }, KeyDirectory = said == StoreKind.Distributed ? Path.GetFullPath("keys") : null };

    private static IEnumerable<string> Faults(AffinityOptions options, StoreKind[] offered) => new AffinityOptionsValidator(
        Microsoft.Extensions.Options.Options.Create(new HostOptions()), new HostingEnvironment { EnvironmentName = Environments.Production },
        backends: offered.Select(kind => new SharedBackend(kind) { Sessions = _ => throw new NotSupportedException() })).Validate(name: null, options).Failures ?? [];

    private sealed class SpareOptions
    {
        public int Size { get; set; }
    }
}
