using System.Diagnostics;
using Affinity.Tickets;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.Sessions;

/// <summary>
/// What do we know of this visitor: the session is fetched before the app and saved before the first byte of the response, so a redirect, a flush or an early close
/// cannot outrun the save. What a handler that throws has changed is not saved; what an exception handler of the app sets afterwards is.
/// </summary>
internal sealed class SessionMiddleware(RequestDelegate next, ISessionCarrier carrier, SessionTouchQueue touches)
{
    private const string RetryAfterSeconds = "2";

    public async Task InvokeAsync(HttpContext context)
    {
        var ticket = context.Features.Get<TicketFeature>() ?? throw new InvalidOperationException("The ticket stage must run before the session stage.");
        var session = new AffinitySession(ticket, carrier);
        context.Features.Set<ISessionFeature>(session);
        context.Features.Set(session);
        context.Response.OnStarting(static state => OnStartingAsync((AffinitySession)state), session);
        try
        {
            if (carrier.Options.Load == SessionLoad.BeforeApp)
            {
                var loading = session.LoadAsync(CancellationToken.None);
                if (!loading.IsCompletedSuccessfully)
                {
                    await TryAsync(loading, session);
                }
            }

            await next(context);
            if (session.HasChanges && !context.Response.HasStarted)
            {
                await SaveAsync(session);
            }

            touches.Consider(session);
        }
        catch (Exception e)
        {
            session.Discard();
            if (!await TryAnswerAsync(context, session.SaveFailure?.Exception ?? e, session.SaveFailure is { InServer: true }))
            {
                throw;
            }
        }
    }

    /// <summary>A store that is away must not fail a request that never touches its session: the view remembers the fault and throws it when it is used.</summary>
    private static async Task TryAsync(Task loading, AffinitySession session)
    {
        try
        {
            await loading;
        }
        catch (SessionUnavailableException)
        {
            Debug.Assert(!session.IsAvailable, "An unreachable session is not available.");
        }
    }

    private static async Task<bool> TryAnswerAsync(HttpContext context, Exception failure, bool failedInServer)
    {
        if (context.Response.HasStarted || failure is not (SessionUnavailableException or SessionEndedException))
        {
            return false;
        }

        var status = failure is SessionUnavailableException ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status409Conflict;
        if (failedInServer)
        {
            // The server has given this response up and answers by itself; this exception is how it is told the status.
            throw new BadHttpRequestException("The session was not saved: " + failure.Message, status, failure);
        }

        context.Response.Clear();
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        if (failure is SessionUnavailableException)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(failure switch
        {
            SessionUnavailableException => "Your session cannot be reached just now. Nothing is lost; please try again in a moment.\n",
            SessionEndedException { Ending: SessionEnding.LostWrites } => "Some of what you did before was lost by our storage, and this request was not carried out. Please reload and check what is left.\n",
            _ => "Your session has changed or ended meanwhile; this change was not saved. Please reload.\n",
        });
        return true;
    }

    private static Task OnStartingAsync(AffinitySession session)
    {
        KeepStatus(session.Context);
        if (session.HasChanges)
        {
            return SaveAndCloseAsync(session);
        }

        var sliding = session.SlideAsync();
        session.Close();
        return sliding.IsCompletedSuccessfully ? Task.CompletedTask : sliding.AsTask();
    }

    private static async Task SaveAndCloseAsync(AffinitySession session)
    {
        try
        {
            await SaveAsync(session);
        }
        catch
        {
            session.SaveFailure!.InServer = true;
            throw;
        }
        finally
        {
            session.Close();
        }
    }

    private static async Task SaveAsync(AffinitySession session)
    {
        try
        {
            await session.CommitAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            session.SaveFailure = new SaveFailure(e);
            session.Discard();
            throw;
        }
    }

    /// <summary>An exception handler inside the app writes the page; that the session is at fault stays visible to clients and proxies.</summary>
    private static void KeepStatus(HttpContext context)
    {
        if (context.Features.Get<IExceptionHandlerFeature>()?.Error is not { } handled || context.Response.HasStarted)
        {
            return;
        }

        if (handled is SessionUnavailableException)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
            context.Response.Headers.CacheControl = "no-store";
        }
        else if (handled is SessionEndedException)
        {
            context.Response.StatusCode = StatusCodes.Status409Conflict;
        }
    }
}

/// <summary>Why a save before the response failed.</summary>
internal sealed class SaveFailure(Exception exception)
{
    public Exception Exception { get; } = exception;

    /// <summary>Whether it failed while the server was starting the response.</summary>
    public bool InServer { get; set; }
}
