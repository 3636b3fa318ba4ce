namespace Affinity;

/// <summary>Who may see all nodes, command them and inspect cookies, if the app calls <c>app.MapAffinity()</c>: section <c>Affinity:Endpoints</c>.</summary>
public sealed class EndpointsOptions
{
    /// <summary>The name of an authorization policy of the app, 1 to 200 characters. Null by default; <c>app.MapAffinity("policy")</c> wins over it.</summary>
    public string? Policy { get; set; }

    /// <summary>Lets anybody in, whatever the policy. Only in the environment Development; anywhere else the app does not start with it. Off by default.</summary>
    public bool AllowAnonymousInDevelopment { get; set; }
}
