using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.Stickiness;

/// <summary>Reads what a request says of its visitor's binding. Waits only for a signing key that this node does not know.</summary>
internal sealed class StickinessReader(RouteCookie route, LiveTargets targets, BindingCookie bindings, ApplicationCookie applicationCookie)
{
    public ValueTask<StickinessFeature> ReadAsync(HttpContext context)
    {
        var binding = bindings.ReadAsync(context.Request, context.RequestAborted);
        return binding.IsCompletedSuccessfully ? ValueTask.FromResult(Read(context, binding.Result)) : ReadLaterAsync(context, binding);
    }

    private async ValueTask<StickinessFeature> ReadLaterAsync(HttpContext context, ValueTask<BindingReading> binding) => Read(context, await binding);

    private StickinessFeature Read(HttpContext context, BindingReading binding) =>
        new(route.Read(context.Request, targets.Now), binding, applicationCookie.CameWith(context.Request), context.Features.GetRequiredFeature<TicketFeature>());
}
