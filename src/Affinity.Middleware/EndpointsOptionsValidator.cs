namespace Affinity;

/// <summary>Every fault of <see cref="EndpointsOptions"/>, each with its cure.</summary>
internal static class EndpointsOptionsValidator
{
    public static IEnumerable<string> Faults(EndpointsOptions options, bool isDevelopment)
    {
        if (options.Policy is { } policy && (policy.Length > 200 || string.IsNullOrWhiteSpace(policy)))
        {
            yield return "Affinity:Endpoints:Policy must be the name of an authorization policy, of 1 to 200 characters. Leave it out unless the app calls app.MapAffinity().";
        }

        if (options.AllowAnonymousInDevelopment && !isDevelopment)
        {
            yield return "Affinity:Endpoints:AllowAnonymousInDevelopment is true, and this is not the environment Development: anybody could drain nodes. "
                + "Move it to appsettings.Development.json, and name an authorization policy with Affinity:Endpoints:Policy here.";
        }
    }
}
