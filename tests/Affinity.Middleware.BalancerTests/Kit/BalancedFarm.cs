using Affinity.TestKit;
using ShopFarm;
using ShopFarm.Balancers;
using Xunit;

namespace Affinity.BalancerTests.Kit;

/// <summary>Three shops and a balancer, started for the first test of a class that asks, and left whole by each.</summary>
public sealed class BalancedFarm : IAsyncLifetime
{
    private BalancerTemplate? _template;
    private Needs _program;
    private ShopNodes? _nodes;
    private BalancerProcess? _balancer;

    internal ShopNodes Nodes => _nodes!;

    internal Uri Door => _balancer!.Address;

    internal async Task StartAsync(BalancerTemplate template, Needs program)
    {
        (_template, _program) = (template, program);
        _nodes ??= await ShopNodes.StartAsync(template.NodeSettings, null, null, null);
        _balancer ??= await StartInstanceAsync();
    }

    /// <summary>Waits until visitors who are bound to the node come to it again, and new ones.</summary>
    internal Task BackAsync(string name) => Scene.BackAsync(Door, name, _template!);

    /// <summary>One more instance in front of the same shops.</summary>
    internal Task<BalancerProcess> StartInstanceAsync() =>
        BalancerProcess.StartAsync(_template!, _program, new BalancerPlan("127.0.0.1", LoopbackPort.Next(), Nodes.Known) { Cookie = ShopFarm.Visitor.RouteCookie });

    /// <inheritdoc/>
    public Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_balancer is not null)
        {
            await _balancer.DisposeAsync();
        }

        if (_nodes is not null)
        {
            await _nodes.DisposeAsync();
        }
    }
}
