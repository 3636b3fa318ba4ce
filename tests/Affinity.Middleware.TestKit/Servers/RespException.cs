namespace Affinity.TestKit;

/// <summary>The server answered a command with an error; the message is the server's, such as <c>LOADING …</c>.</summary>
public sealed class RespException(string message) : Exception(message);
