namespace Affinity.Diagnostics;

/// <summary>
/// Every line that Affinity logs, one file per stage. Event ids: 1000 nodes, 2000 tickets and keys, 3000 stickiness, 4000 sessions, 5000 backends, 6000 root.
/// What a client can provoke is Debug and counted; no line holds a secret, a session id or a cookie's value.
/// </summary>
internal static partial class Log;
