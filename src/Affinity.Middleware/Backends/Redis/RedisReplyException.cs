namespace Affinity.Backends.Redis;

/// <summary>The server answered, but not in a form that this version can read: damaged, foreign, or written by a newer version.</summary>
internal sealed class RedisReplyException(string message, Exception? cause = null) : Exception(message, cause);
