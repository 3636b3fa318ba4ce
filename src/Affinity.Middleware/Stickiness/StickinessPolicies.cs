namespace Affinity.Stickiness;

/// <summary>Who sets the route cookie.</summary>
public enum RouteOwnership
{
    /// <summary>The app sets it and the balancer obeys. The default, and the only one by which a visitor can be moved to a certain node.</summary>
    App,

    /// <summary>The balancer sets its own. The app never overwrites it while it leads to the bound node; to move a visitor it makes the browser drop it, and the balancer chooses.</summary>
    Balancer,

    /// <summary>
    /// The app sets it, the balancer learns which node a value came from. Only a new value moves a visitor, and the balancer chooses where to. Not for balancers that hash the value: there each node would
    /// write a new one for whoever comes, which leads elsewhere, where the same happens; that is <see cref="App"/> with <see cref="AffinityDialect.Opaque"/>.
    /// </summary>
    Learned,
}

/// <summary>When a visitor is bound.</summary>
public enum BindMoment
{
    /// <summary>When there is something to be bound for: a session or a track. The default; responses to other visitors carry no cookie and stay cacheable.</summary>
    WhenNeeded,

    /// <summary>With the first response, as classic balancers do. Each visitor's first response then carries a cookie. No effect with <see cref="RouteOwnership.Balancer"/>, which does that itself.</summary>
    Always,
}

/// <summary>How long a visitor stays bound.</summary>
public enum BindingLifetime
{
    /// <summary>Until the browser closes. The default.</summary>
    Browser,

    /// <summary>For a fixed time from the moment of binding, whatever the visitor does; then the visitor is bound anew, to the node that the balancer has chosen.</summary>
    Duration,

    /// <summary>As long as a named cookie of the app lives. When the app removes it, or it expires, the binding ends until the app issues it again.</summary>
    Application,
}

/// <summary>What happens when a request comes to another node although the bound one lives.</summary>
public enum OtherNodePolicy
{
    /// <summary>
    /// The visitor stays bound to the old node, and goes back to it when the balancer sends them there. Nothing is written when the cookie is right already.
    /// When the balancer cannot reach a node that otherwise lives, each of its visitors' requests pays for a failed attempt until it can.
    /// </summary>
    Keep,

    /// <summary>
    /// The visitor is bound to where the balancer sent them. The default: the balancer knows which nodes it can reach. A balancer that ignores the cookie then causes a new one with every
    /// request that changes node, which is told by a warning.
    /// </summary>
    Reassign,
}
