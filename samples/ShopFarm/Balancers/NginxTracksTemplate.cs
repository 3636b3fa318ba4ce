namespace ShopFarm.Balancers;

/// <summary>Two versions of the app behind one nginx: new visitors by share, bound ones to their node.</summary>
internal sealed class NginxTracksTemplate : NginxTemplate
{
    public override string Name => "nginx-tracks";

    public override string Render(BalancerPlan plan)
    {
        var (first, second) = (plan.Tracks[0], plan.Tracks[1]);
        return $$"""
            # The share of new visitors. With tracks, Affinity binds with the first response, so each visitor draws once.
            split_clients $request_id $shops_new {
            {{Lines(Shares(plan), share => "    " + share)}}
            }

            # The other version only when no node of this one answers.
            {{Upstream("shops_" + first, plan.On(first), plan.NotOn(first))}}
            {{Upstream("shops_" + second, plan.On(second), plan.NotOn(second))}}

            # One per node. Whoever comes to the other version by this is sent back by the app to a node of theirs.
            {{Lines(plan.Nodes, n => Upstream("shops_" + n.Name, [n], plan.From(n).Skip(1)))}}

            map $cookie_{{plan.Cookie}} $shops {
                default $shops_new;
            {{Lines(plan.Nodes, n => $"    {n.Name} shops_{n.Name};")}}
            }

            {{Server(plan)}}

            """;
    }

    private static IEnumerable<string> Shares(BalancerPlan plan)
    {
        // nginx refuses 0%, so nobody is no line.
        if (plan.SecondTrackPercent > 0)
        {
            yield return $"{plan.SecondTrackPercent}% shops_{plan.Tracks[1]};";
        }

        yield return $"* shops_{plan.Tracks[0]};";
    }
}
