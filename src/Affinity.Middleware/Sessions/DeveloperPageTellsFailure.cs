using Microsoft.AspNetCore.Diagnostics;

namespace Affinity.Sessions;

/// <summary>
/// The developer exception page answers for a handler that threw, as an exception handler does, but does not say so in the request's features. This says it, so that
/// what the handler changed is not saved in development either.
/// </summary>
internal sealed class DeveloperPageTellsFailure : IDeveloperPageExceptionFilter
{
    public Task HandleExceptionAsync(ErrorContext errorContext, Func<ErrorContext, Task> next)
    {
        var context = errorContext.HttpContext;
        if (!ReferenceEquals(context.Features.Get<IExceptionHandlerFeature>()?.Error, errorContext.Exception))
        {
            context.Features.Set<IExceptionHandlerFeature>(new ExceptionHandlerFeature { Error = errorContext.Exception, Path = context.Request.Path });
        }

        return next(errorContext);
    }
}
