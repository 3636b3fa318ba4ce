using Affinity.BalancerTests.Kit;
using Affinity.TestKit;
using Xunit.Abstractions;

namespace Affinity.BalancerTests;

[Balancer("haproxy", Needs.Haproxy)]
public sealed class HaProxyTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);

[Balancer("haproxy-use-server", Needs.Haproxy)]
public sealed class HaProxyUseServerTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);

[Balancer("nginx", Needs.Nginx, RepeatsGets = true)]
public sealed class NginxTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);

[Balancer("caddy", Needs.Caddy, RepeatsGets = true)]
public sealed class CaddyTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);

[Balancer("apache", Needs.Apache, KeepsBound = false)]
public sealed class ApacheTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);

[Balancer("apache-plain", Needs.Apache, KeepsBound = false)]
public sealed class ApachePlainTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);

[Balancer("varnish", Needs.Varnish, RepeatsGets = true)]
public sealed class VarnishTests(BalancedFarm farm, ITestOutputHelper output) : BalancerSuite(farm, output);
