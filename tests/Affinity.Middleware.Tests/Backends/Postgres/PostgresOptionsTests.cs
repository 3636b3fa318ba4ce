using Affinity.Backends;
using Affinity.Backends.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Backends.Postgres;

public sealed class PostgresOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(PostgresOptionsValidator.Faults(new PostgresOptions()));

    [Fact]
    public void Every_wrong_setting_is_a_fault_that_names_it_and_all_are_told_at_once()
    {
        var options = new PostgresOptions
        {
            ConnectionString = "Database=shop", Schema = (PostgresSchema)99, SchemaName = "Shop", SweepInterval = TimeSpan.Zero, SweepBatch = 1,
        };

        var faults = PostgresOptionsValidator.Faults(options).ToArray();

        Assert.Equal(5, faults.Length);
        Assert.All(
            (string[])["ConnectionString", "Schema ", "SchemaName", "SweepInterval", "SweepBatch"],
            name => Assert.Single(faults, fault => fault.StartsWith($"Affinity:Postgres:{name}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Host=")]
    [InlineData("hunter2")]
    [InlineData("Host=db;Pasword=hunter2")]
    [InlineData("Host=db;Port=hunter2")]
    [InlineData("Host=db;Password='hunter2")]
    public void A_connection_string_that_is_none_is_a_fault_and_nothing_of_it_is_repeated(string connection)
    {
        var fault = Assert.Single(PostgresOptionsValidator.Faults(new PostgresOptions { ConnectionString = connection }));

        Assert.DoesNotContain("hunter2", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop", true)]
    [InlineData("affinity_shop_2", true)]
    [InlineData("_", true)]
    [InlineData("", false)]
    [InlineData("Shop", false)]
    [InlineData("2shop", false)]
    [InlineData("pg_shop", false)]
    [InlineData("shop;drop schema public", false)]
    [InlineData("shop\"", false)]
    [InlineData("löwe", false)]
    [InlineData("s\n", false)]
    public void A_schema_has_a_name_that_needs_no_quotes(string name, bool isRight) =>
        Assert.Equal(isRight, !PostgresOptionsValidator.Faults(new PostgresOptions { SchemaName = name }).Any());

    [Fact]
    public void Applications_have_schemas_of_their_own_by_their_names()
    {
        string[] applications = ["shop", "Shop", "SHOP", "shop.web", "shop-web", "shop web", "shop_web", "löwe", "l_we", "2shop", "", new string('a', 200), new string('a', 199), "pg_shop", "a'b"];

        var schemas = applications.Select(PostgresOptions.SchemaOf).ToArray();

        Assert.Equal("affinity_shop", schemas[0]);
        Assert.Equal(schemas.Length, schemas.Distinct(StringComparer.Ordinal).Count());
        Assert.All(schemas, schema => Assert.True(PostgresOptions.IsSchemaName(schema), schema));
    }

    [Fact]
    public void What_the_connection_string_leaves_open_is_set_for_short_calls_and_what_it_says_stands()
    {
        var open = PostgresConnections.Read("Host=db;Username=shop");
        var said = PostgresConnections.Read("Host=db;Timeout=9;Command Timeout=8;Maximum Pool Size=7;Max Auto Prepare=0;Application Name=web;Enlist=true");

        Assert.Equal((2, 3, 20, 20, "affinity", false), (open.Timeout, open.CommandTimeout, open.MaxPoolSize, open.MaxAutoPrepare, open.ApplicationName, open.Enlist));
        Assert.Equal((9, 8, 7, 0, "web", false), (said.Timeout, said.CommandTimeout, said.MaxPoolSize, said.MaxAutoPrepare, said.ApplicationName, said.Enlist));
    }

    [Fact]
    public async Task A_connection_string_alone_is_enough()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:affinity-db", "Host=localhost;Port=1"), new("Affinity:Application", "shop")]);
        builder.AddAffinity();
        await using var app = builder.Build();

        Assert.IsType<PostgresSessionStore>(app.Services.GetRequiredService<Affinity.Sessions.ISessionStore>());
        Assert.IsType<PostgresSessionAnnouncements>(app.Services.GetRequiredService<Affinity.Sessions.ISessionAnnouncements>());
        Assert.IsType<PostgresNodeDirectory>(app.Services.GetRequiredService<Affinity.Nodes.INodeDirectory>());
        Assert.IsType<PostgresKeyVault>(app.Services.GetRequiredService<Affinity.Tickets.IKeyVault>());
        Assert.Equal("affinity_shop", app.Services.GetRequiredService<PostgresDatabase>().Schema);
    }

    [Fact]
    public async Task Chosen_in_code_it_is_the_store_and_registered_once()
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddAffinity().UsePostgres(postgres => postgres.ConnectionString = "Host=localhost;Port=1").UsePostgres(postgres => postgres.SchemaName = "mine");
        await using var app = builder.Build();

        Assert.Equal(StoreKind.Postgres, app.Services.GetRequiredService<IOptions<AffinityOptions>>().Value.ChosenStore);
        Assert.Single(app.Services.GetServices<SharedBackend>(), backend => backend.Kind == StoreKind.Postgres);
        Assert.Equal("mine", app.Services.GetRequiredService<PostgresDatabase>().Schema);
    }

    [Fact]
    public async Task Its_faults_are_told_together_with_those_of_Affinity()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:affinity-db", "Host=localhost;Port=1"), new("Affinity:Postgres:SweepBatch", "1"), new("Affinity:Sessions:IdleTimeout", "-1")]);
        builder.AddAffinity();
        await using var app = builder.Build();

        var fault = await Record.ExceptionAsync(() => app.StartAsync());

        var told = fault!.ToString();
        Assert.Contains("Affinity:Postgres:SweepBatch", told, StringComparison.Ordinal);
        Assert.Contains("Affinity:Sessions:IdleTimeout", told, StringComparison.Ordinal);
    }

    [Fact]
    public void The_store_without_an_address_is_a_fault_that_names_the_setting()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("Affinity:Store", "Postgres")]);
        builder.AddAffinity();
        using var provider = builder.Services.BuildServiceProvider();

        var fault = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<AffinityOptions>>().Value);

        Assert.Contains("ConnectionStrings:affinity-db", fault.Message, StringComparison.Ordinal);
    }
}
