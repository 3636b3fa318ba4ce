using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Affinity;

/// <summary>The way of a request. Put first by itself, unless the app places it with <c>app.UseAffinity()</c>.</summary>
internal sealed class AffinityPipeline : IStartupFilter
{
    private bool _placedByApp;

    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        // Runs when the pipeline is built, and so after the app has had its chance to place it.
        app.Use(rest => _placedByApp ? rest : Before(rest, app));
        next(app);
    };

    /// <summary>Puts the pipeline at this place of the app's own; a second call does nothing.</summary>
    public void PlaceByApp(IApplicationBuilder app)
    {
        if (!_placedByApp)
        {
            _placedByApp = true;
            Place(app);
        }
    }

    private static void Place(IApplicationBuilder app)
    {
        app.UseMiddleware<NodeMiddleware>();           // who am I
        app.UseMiddleware<DataProtectionMiddleware>(); // do I know the keys of this visitor's cookies
        app.UseMiddleware<TicketMiddleware>();         // what does this visitor prove
        app.UseMiddleware<StickinessMiddleware>();     // which node is theirs
        app.UseMiddleware<SessionMiddleware>();        // what do we know of them
    }

    private static RequestDelegate Before(RequestDelegate rest, IApplicationBuilder app)
    {
        var pipeline = app.New();
        Place(pipeline);
        pipeline.Run(rest);
        return pipeline.Build();
    }
}
