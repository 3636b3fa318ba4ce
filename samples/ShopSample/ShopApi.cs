using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ShopSample;

public sealed record AddLine([Required] string? ProductId, [Required, Range(1, 99)] int? Quantity);

internal sealed record WhoAmI(string? Name, string Node, string Version, string Origin);

internal sealed record CheckedOut(string Order, long Total);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<Product>))]
[JsonSerializable(typeof(Basket))]
[JsonSerializable(typeof(AddLine))]
[JsonSerializable(typeof(Visitor))]
[JsonSerializable(typeof(WhoAmI))]
[JsonSerializable(typeof(CheckedOut))]
internal sealed partial class ShopJson : JsonSerializerContext;

/// <summary>The shop for programs. Money is in euro cents; faults are problem+json.</summary>
internal static class ShopApi
{
    public static void AddShopApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, ShopJson.Default));
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true); // so that ShopErrors names the fault
        services.AddProblemDetails(o => o.CustomizeProblemDetails = ShopErrors.Explain);
        services.AddValidation();
    }

    public static void MapShopApi(this IEndpointRouteBuilder app)
    {
        // Needs no antiforgery token: SameSite=Lax keeps other sites' posts without cookies, and a body is taken only as application/json.
        var api = app.MapGroup("/api");
        api.MapGet("/products", () => Catalogue.Products);
        api.MapGet("/basket", (HttpContext context) => context.Session.Visit().Basket);
        api.MapPost("/basket", Add);
        api.MapDelete("/basket", (HttpContext context) => context.Session.ChangeBasket(_ => Basket.Empty));
        api.MapDelete("/basket/{productId}", Remove);
        api.MapPost("/checkout", (Delegate)CheckOutAsync);
        api.MapPost("/login", LogInAsync);
        api.MapPost("/logout", LogOutAsync);
        api.MapGet("/whoami", WhoAmI);
    }

    private static Results<Ok<Basket>, ProblemHttpResult> Add(AddLine line, HttpContext context) =>
        Catalogue.Find(line.ProductId) is { } product
            ? TypedResults.Ok(context.Session.ChangeBasket(b => b.Add(product, line.Quantity!.Value)))
            : Unknown(line.ProductId!);

    private static Results<Ok<Basket>, ProblemHttpResult> Remove(string productId, HttpContext context) =>
        Catalogue.Find(productId) is { } product
            ? TypedResults.Ok(context.Session.ChangeBasket(b => b.Remove(product.Id)))
            : Unknown(productId);

    private static async Task<Results<Ok<CheckedOut>, ProblemHttpResult>> CheckOutAsync(HttpContext context) =>
        await context.Session.CheckOutAsync() is { } order
            ? TypedResults.Ok(new CheckedOut(order.Number, order.Total))
            : Problem(409, "The basket is empty.");

    private static async Task<Ok<Visitor>> LogInAsync(Visitor visitor, HttpContext context)
    {
        await visitor.SignInAsync(context);
        return TypedResults.Ok(visitor);
    }

    private static Task LogOutAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return context.SignOutAsync();
    }

    private static WhoAmI WhoAmI(HttpContext context)
    {
        var affinity = context.GetAffinity();
        return new WhoAmI(context.User.Identity?.Name, affinity.Node, affinity.Version.ToString(), affinity.Origin.ToString());
    }

    private static ProblemHttpResult Unknown(string productId) => Problem(404, $"There is no product '{productId}'.");

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
