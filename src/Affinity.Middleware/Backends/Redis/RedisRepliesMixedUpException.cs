namespace Affinity.Backends.Redis;

/// <summary>The answer that came belongs to another call, so what became of this one is not known.</summary>
internal sealed class RedisRepliesMixedUpException() : Exception("Redis, or what lies between, answered with the reply to another call. It was not used.");
