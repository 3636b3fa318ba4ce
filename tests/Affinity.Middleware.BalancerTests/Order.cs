using Affinity.BalancerTests;
using Affinity.TestKit;
using Xunit;

[assembly: TestCollectionOrderer(LongestFirst.Type, LongestFirst.Assembly)]
[assembly: Longest(
    typeof(VarnishTests),
    typeof(CaddyTests),
    typeof(ApacheTests),
    typeof(ApachePlainTests),
    typeof(NginxTests),
    typeof(HaProxyTests),
    typeof(HaProxyUseServerTests),
    typeof(TrackTests))]
