namespace Affinity.Sessions;

/// <summary>Every fault of <see cref="CookieSessionsOptions"/>, with its cure.</summary>
internal static class CookieSessionsOptionsValidator
{
    public static IEnumerable<string> Faults(CookieSessionsOptions options)
    {
        if (!Enum.IsDefined(options.Protection))
        {
            yield return "Affinity:Sessions:Cookie:Protection must be SignAndEncrypt or Sign.";
        }

        if (!Enum.IsDefined(options.Floor))
        {
            yield return "Affinity:Sessions:Cookie:Floor must be None or Store.";
        }

        if (options is { Compress: true, Protection: not ContentProtection.Sign })
        {
            yield return "Affinity:Sessions:Cookie:Compress is on, but what is compressed and then encrypted tells its content by its length: turn it off, or set Protection to Sign if visitors may read their session.";
        }
    }
}
