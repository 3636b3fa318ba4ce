namespace Affinity.Backends.Redis;

/// <summary>There was no connection to send the call on. Its message names no server, as the cause may quote the connection string.</summary>
internal sealed class RedisNotConnectedException(Exception cause) : Exception($"There is no connection to Redis ({cause.GetType().Name}).");
