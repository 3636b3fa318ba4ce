namespace Affinity.Nodes;

/// <summary>What a draining node does with requests of visitors who are not bound to a node, as long as another node takes visitors.</summary>
public enum UnboundRequests
{
    /// <summary>Serves them, and the response names another node, session or not. The default: needs no feature of the balancer. These responses carry a cookie.</summary>
    Rebind,

    /// <summary>Serves them and binds nobody: the balancer chooses anew each time. For balancers that notice a drain themselves.</summary>
    Serve,

    /// <summary>Answers 503 before the app runs. Only for balancers that try another node on 503; behind any other, visitors see the error.</summary>
    Refuse,
}
