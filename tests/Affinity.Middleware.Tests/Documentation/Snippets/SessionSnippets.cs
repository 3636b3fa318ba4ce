using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Affinity.Tests.Documentation.Snippets;

/// <summary>What the documents show of sessions.</summary>
internal static class SessionSnippets
{
    public static void Basket(WebApplication app)
    {
        // snippet: update
        app.MapPost("/basket/{product}", async (HttpContext context, string product) =>
        {
            // Re-run on the newest value when another request saved first: must be pure.
            context.Session.Update<string[]>("basket", old => [.. old ?? [], product]);

            // Saves now; without it the save comes before the first byte of the response.
            await context.Session.CommitAsync();
            return context.Session.Get<string[]>("basket");
        });
        // end
    }

    public static void CheckOut(WebApplication app)
    {
        // snippet: a failed save
        app.UseExceptionHandler(errors => errors.Run(context => context.Response.WriteAsync("This did not work. Please try again in a moment.")));
        app.MapPost("/checkout", async (HttpContext context) =>
        {
            context.Session.Update<int>("orders", old => old + 1);
            await context.Session.CommitAsync();
            return "Thank you.";
        });
        // end
    }

    public static void Welcome(WebApplication app)
    {
        // snippet: out of reach
        app.MapGet("/", (HttpContext context) => context.Session.IsAvailable
            ? $"Welcome. You have {context.Session.Get<int>("items")} things in your basket."
            : "Welcome. Your basket cannot be shown just now.");
        // end
    }

    public static void BecomeAdmin(WebApplication app)
    {
        // snippet: regenerate
        app.MapPost("/become-admin", async (HttpContext context) =>
        {
            await context.Session.RegenerateAsync();
            context.Session.SetString("role", "admin");
        });
        // end
    }
}
