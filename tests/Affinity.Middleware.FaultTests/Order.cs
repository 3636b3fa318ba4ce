using Affinity.FaultTests.Rows;
using Affinity.TestKit;
using Xunit;

[assembly: TestCollectionOrderer(LongestFirst.Type, LongestFirst.Assembly)]
[assembly: Longest(
    typeof(PromotionTests),
    typeof(SplitBrainTests),
    typeof(FrozenNodeTests),
    typeof(FailOverTests),
    typeof(PostgresTests),
    typeof(PostgresNodeTests),
    typeof(CachedPostgresTests),
    typeof(ForgetfulRedisTests),
    typeof(DurableRedisTests))]
