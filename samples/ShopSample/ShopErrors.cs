using System.Text.Json;
using Affinity.Sessions;

namespace ShopSample;

/// <summary>People get the error page, programs get problem+json.</summary>
internal static class ShopErrors
{
    public static void UseShopErrors(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(Options("/error")).UseStatusCodePagesWithReExecute("/error");

        // Inside the other two, which then see an answer with a body and leave it alone.
        app.UseWhen(IsApi, api => api.UseExceptionHandler(Options(page: null)).UseStatusCodePages());
    }

    /// <summary>Completes every problem+json with the fault's name.</summary>
    public static void Explain(ProblemDetailsContext context)
    {
        context.ProblemDetails.Detail ??= context.Exception switch
        {
            BadHttpRequestException { InnerException: JsonException { Path: { } path } } => $"The body is not the JSON that is expected, at {path}.",
            BadHttpRequestException { InnerException: JsonException } or
            BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } => "The body is missing, or not the JSON that is expected.",
            BadHttpRequestException bad => bad.Message,
            SessionUnavailableException => "The session cannot be reached just now; please try again.",
            SessionEndedException => "The session has ended meanwhile, and nothing was changed.",
            _ when context.HttpContext.Response.StatusCode == StatusCodes.Status415UnsupportedMediaType => "The body must be application/json.",
            _ => null,
        };
        if (context.ProblemDetails is HttpValidationProblemDetails validation)
        {
            validation.Errors = validation.Errors.ToDictionary(e => JsonNamingPolicy.CamelCase.ConvertName(e.Key), e => e.Value, StringComparer.Ordinal);
        }
    }

    private static bool IsApi(HttpContext context) => context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);

    private static ExceptionHandlerOptions Options(string? page) => new()
    {
        ExceptionHandlingPath = page,
        StatusCodeSelector = exception => exception switch
        {
            BadHttpRequestException bad => bad.StatusCode,
            SessionUnavailableException => StatusCodes.Status503ServiceUnavailable,
            SessionEndedException => StatusCodes.Status409Conflict,
            _ => StatusCodes.Status500InternalServerError,
        },

        // The client's fault is no error of ours, and Affinity has told the other two already.
        SuppressDiagnosticsCallback = c => c.Exception is BadHttpRequestException or SessionUnavailableException or SessionEndedException,
    };
}
