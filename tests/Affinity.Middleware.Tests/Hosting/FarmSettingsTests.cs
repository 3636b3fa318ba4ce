using System.Net;
using Affinity.Backends;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tests.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace Affinity.Tests.Hosting;

/// <summary>Which settings are compared between nodes, and where a difference shows.</summary>
public sealed class FarmSettingsTests
{
    private static readonly string One = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    private static readonly string Two = Convert.ToBase64String([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);

    public static TheoryData<string, Action<AffinityOptions>> Changes => new()
    {
        { "Affinity:Application", options => options.Application = "another" },
        { "Affinity:KeyDirectory", options => options.KeyDirectory = "/keys" },
        { "Affinity:Secrets", options => options.Secrets[0] = Two },
        { "Affinity:Secrets", options => options.Secrets.Add(Two) },
        { "Affinity:Store", options => options.Store = StoreKind.Distributed },
        { "Affinity:StandbyStore:Configuration", options => options.StandbyStore.Configuration = "elsewhere:6379,password=x" },
        { "Affinity:StandbyStore:MoveAfter", options => (options.StandbyStore.Configuration, options.StandbyStore.MoveAfter) = ("standby:6379", TimeSpan.FromSeconds(30)) },
        { "Affinity:Sessions:IdleTimeout", options => options.Sessions.IdleTimeout = TimeSpan.FromMinutes(30) },
        { "Affinity:Sessions:AbsoluteTimeout", options => options.Sessions.AbsoluteTimeout = TimeSpan.FromHours(9) },
        { "Affinity:Sessions:MaxBytes", options => options.Sessions.MaxBytes = 4096 },
        { "Affinity:Sessions:Carrier", options => options.Sessions.Carrier = SessionCarrier.Cookie },
        { "Affinity:Sessions:Cookie:Protection", options => options.Sessions.Cookie.Protection = ContentProtection.Sign },
        { "Affinity:Sessions:Cookie:Floor", options => options.Sessions.Cookie.Floor = ReplayFloor.Store },
        { "Affinity:Ticket:CookieName", options => options.Ticket.CookieName = "other" },
        { "Affinity:Ticket:SameSite", options => options.Ticket.SameSite = SameSiteMode.Strict },
        { "Affinity:Ticket:MaxBytes", options => options.Ticket.MaxBytes = 4000 },
        { "Affinity:Stickiness:Enabled", options => options.Stickiness.Enabled = false },
        { "Affinity:Stickiness:CookieName", options => options.Stickiness.CookieName = "SRV" },
        { "Affinity:Stickiness:Dialect", options => options.Stickiness.Dialect = AffinityDialect.Tagged },
        { "Affinity:Stickiness:Ownership", options => options.Stickiness.Ownership = RouteOwnership.Balancer },
        { "Affinity:Stickiness:Bind", options => options.Stickiness.Bind = BindMoment.Always },
        { "Affinity:Stickiness:Lifetime", options => options.Stickiness.Lifetime = BindingLifetime.Duration },
        { "Affinity:Stickiness:Duration", options => options.Stickiness.Duration = TimeSpan.FromHours(2) },
        { "Affinity:Stickiness:ApplicationCookie", options => options.Stickiness.ApplicationCookie = "app" },
        { "Affinity:Stickiness:TrackDuration", options => options.Stickiness.TrackDuration = TimeSpan.FromDays(2) },
    };

    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public void A_setting_that_must_agree_is_named_when_it_does_not(string setting, Action<AffinityOptions> change)
    {
        var other = Options();
        change(other);

        Assert.Equal([setting], Compare(Options(), other));
    }

    [Fact]
    public void What_concerns_only_the_node_may_differ()
    {
        var other = Options();
        (other.Node.Id, other.Node.Address, other.Drain.Notice, other.Sessions.NearCache.MaxBytes) = ("b", "10.0.0.2:80", TimeSpan.Zero, 1 << 20);

        Assert.Empty(Compare(Options(), other));
    }

    [Fact]
    public void Secrets_in_another_order_verify_each_others_tickets_and_are_no_difference()
    {
        var (one, other) = (Options(), Options());
        one.Secrets.Add(Two);
        other.Secrets.Insert(0, Two);

        Assert.Empty(Compare(one, other));
    }

    [Fact]
    public void The_Data_Protection_application_name_is_compared_too() =>
        Assert.Equal(["the Data Protection application name"], DriftRules.Compare(FarmSettings.Of(Options(), "/app"), [Node(FarmSettings.Of(Options(), "/srv/app"))]).Select(drift => drift.Setting));

    [Fact]
    public void Two_servers_in_front_of_one_database_are_a_difference_and_passwords_are_none()
    {
        Assert.Empty(Compare(Redis("cache:6379,password=one"), Redis("cache:6379,password=two")));
        Assert.Equal(["Affinity:Redis:Configuration"], Compare(Redis("cache:6379"), Redis("cash:6379")));

        static AffinityOptions Redis(string configuration)
        {
            var options = Options();
            (options.Store, options.Redis.Configuration) = (StoreKind.RedisOverPostgres, configuration);
            return options;
        }
    }

    /// <summary>They were compared by their type, which all of these have in common.</summary>
    [Fact]
    public void Values_that_are_computed_in_another_way_or_with_another_secret_are_a_difference()
    {
        var dialects = new Func<ComputedDialect>[]
        {
            () => ComputedDialect.CaddyCookie("one"),
            () => ComputedDialect.CaddyCookie("two"),
            () => ComputedDialect.CaddyCookie(""),
            ComputedDialect.NginxStickyCookie,
            () => ComputedDialect.TraefikCookie(),
            () => ComputedDialect.TraefikCookie("https"),
            ComputedDialect.ArrCookie,
            () => new ComputedDialect(target => $"x-{target.Node}", needsAddress: false),
        };
        for (var i = 0; i < dialects.Length; i++)
        {
            for (var j = 0; j < dialects.Length; j++)
            {
                Assert.Equal(i == j ? [] : ["Affinity:Stickiness:Dialect"], Compare(dialects[i](), dialects[j]()));
            }
        }
    }

    [Fact]
    public void A_dialect_of_the_apps_own_is_compared_by_what_can_be_known_of_it()
    {
        var table = new ComputedDialect(target => target.Node.Value == "a" ? "x" : throw new KeyNotFoundException(), needsAddress: false);
        Assert.Empty(Compare(table, new ComputedDialect(_ => throw new KeyNotFoundException(), needsAddress: false)));
        Assert.Empty(Compare((IAffinityDialect?)null, null));
        Assert.Equal(["Affinity:Stickiness:Dialect"], Compare(table, null));
        Assert.Equal(["Affinity:Stickiness:Dialect"], Compare(table, BuiltInDialects.Of(AffinityDialect.Plain)));
    }

    [Fact]
    public void What_is_told_is_small_and_holds_no_value()
    {
        var told = FarmSettings.Of(Options(), "shop").Text!;

        Assert.InRange(told.Length, 100, 250);
        Assert.DoesNotContain("shop", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_difference_shows_in_the_status_and_in_the_apps_own_health_check()
    {
        await using var app = await OperatorApp.StartAsync();
        var health = app.Services.GetRequiredService<HealthCheckService>();
        var other = Options();
        other.Sessions.IdleTimeout = TimeSpan.FromMinutes(30);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Entries["affinity"].Status);

        await app.BeatAsync(Node(new AgreedSettings([new("sI", "", "00:30:00")])));
        await app.HearAsync();

        using var status = await app.SendAsync(HttpMethod.Get, "/affinity/nodes");
        Assert.Contains("""
            "drift":[{"setting":"Affinity:Sessions:IdleTimeout","nodes":["b"]}],"nodes":[
            """, await status.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var entry = (await health.CheckHealthAsync()).Entries["affinity"];
        Assert.Equal((HealthStatus.Degraded, "Settings that all nodes must agree on differ: Affinity:Sessions:IdleTimeout (on b)."), (entry.Status, entry.Description));
        using var ready = await app.SendAsync(HttpMethod.Get, "/affinity/health/ready");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    private static AffinityOptions Options() => new() { Application = "shop", Secrets = { One }, StandbyStore = { Configuration = "standby:6379" } };

    private static NodeRecord Node(AgreedSettings settings) => FakeDirectory.Peer("b") with { Settings = settings.Text };

    private static IEnumerable<string> Compare(IAffinityDialect? own, IAffinityDialect? other) =>
        DriftRules.Compare(FarmSettings.Of(Options(), "shop", own), [Node(FarmSettings.Of(Options(), "shop", other))]).Select(drift => drift.Setting);

    private static IEnumerable<string> Compare(AffinityOptions own, AffinityOptions other) => DriftRules.Compare(FarmSettings.Of(own, "shop"), [Node(FarmSettings.Of(other, "shop"))]).Select(drift => drift.Setting);
}
