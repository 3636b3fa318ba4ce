using System.Diagnostics;

namespace Affinity.Stickiness;

/// <summary>What is seen when a balancer does not obey, and the setting that is likely to be wrong.</summary>
/// <param name="Symptom">Goes on after "… of 100 requests of bound visitors".</param>
/// <param name="Cure">Whole sentences.</param>
internal sealed record ObedienceDiagnosis(string Symptom, string Cure)
{
    public static ObedienceDiagnosis Of(ObedienceSign sign, StickinessOptions options) => sign switch
    {
        ObedienceSign.Ignored => new(
            $"came to another node than the one that their cookie {options.CookieName} names{AlthoughItLives(options)}",
            Doubt(options) + $"Either the balancer does not follow the cookie, or it cannot reach that node. HAProxy needs \"cookie {options.CookieName} insert preserve nocache\" and \"cookie <Affinity:Node:Id>\" on each server line; "
                + $"nginx a map of $cookie_{options.CookieName} to an upstream per node; Apache \"stickysession={options.CookieName}\" with \"route=<Affinity:Node:Id>\"; Caddy a matcher of the cookie per node. "
                + "Affinity:Stickiness:CookieName and Affinity:Stickiness:Dialect must be what the balancer expects."),
        ObedienceSign.Moved => new(
            $"came to another node than the one that they are bound to{AlthoughItLives(options)}",
            Doubt(options) + $"The balancer binds by its own means (Affinity:Stickiness:Ownership is {options.Ownership}, Affinity:Stickiness:Dialect is {options.Dialect}): look whether its session affinity is on, whether several balancers share what they have learned, and whether it reaches that node."),
        ObedienceSign.Missing => new(
            $"came without the cookie {options.CookieName}, although their other cookies came",
            $"Something on the way takes it off: HAProxy does with \"indirect\" on its cookie line, and a proxy or CDN may let only cookies through that it was told of. Let {options.CookieName} through to the app."),
        ObedienceSign.Replaced => new(
            $"came with a value in their cookie {options.CookieName} that Affinity has not written",
            "The balancer sets a cookie of that name itself: HAProxy does with \"rewrite\", and with \"insert\" without \"preserve\"; nginx with \"sticky cookie\". Let it only read the cookie, or set Affinity:Stickiness:Ownership to Balancer, "
                + "or give Affinity:Stickiness:CookieName another name. If it does not, the instances differ in Affinity:Stickiness:Dialect."),
        ObedienceSign.UnknownName => new(
            $"came with a name in their cookie {options.CookieName} that no node has had",
            "The balancer writes the cookie itself, with names of its own: give its servers the names that the nodes have in Affinity:Node:Id (HAProxy \"cookie <name>\" on each server line, Apache \"route=<name>\"), and let it only read the cookie (HAProxy \"preserve\"). "
                + "If it does not write any, another app sets a cookie of that name: give Affinity:Stickiness:CookieName another one."),
        _ => throw new UnreachableException(),
    };

    private static string AlthoughItLives(StickinessOptions options) => options.StoreKnowsNodes ? ", although that one lives" : "";

    private static string Doubt(StickinessOptions options) => options.StoreKnowsNodes ? ""
        : $"Whether that node has just gone nobody knows, as the store does not know which nodes live; but this has gone on for {ObedienceRules.WindowsWithoutDirectory} minutes. ";
}
