using Affinity.ServerTests.Backends;
using Affinity.ServerTests.Backends.Postgres;
using Affinity.ServerTests.DataProtection;
using Affinity.ServerTests.Farm;
using Affinity.TestKit;
using Xunit;

[assembly: TestCollectionOrderer(LongestFirst.Type, LongestFirst.Assembly)]
[assembly: Longest(
    typeof(AgentCheckTests),
    typeof(RedisSharedSessionTests),
    typeof(HostileRecordTests),
    typeof(WriteThroughSessionStoreOverPostgresConformanceTests),
    typeof(FaultTests),
    typeof(NodeCommandTests),
    typeof(CachedPostgresSharedSessionTests),
    typeof(WriteThroughSessionStoreConformanceTests),
    typeof(WriteThroughTests),
    typeof(StandbyTests),
    typeof(WriteThroughSessionStoreConfirmingConformanceTests),
    typeof(SharedSignInTests),
    typeof(RoundTripTests),
    typeof(PostgresSharedSessionTests),
    typeof(NearCacheTests),
    typeof(DurabilityTests),
    typeof(DistributedSharedSessionTests),
    typeof(DistributedCacheTests),
    typeof(MovingFromAddSessionTests),
    typeof(PostgresReplicaTests),
    typeof(DriftTests),
    typeof(DistributedSessionStoreConformanceTests))]
