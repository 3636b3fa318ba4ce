using System.Collections.Concurrent;
using System.Net;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>Nobody is ever handed what is another visitor's, however many requests are under way and whatever handlers do with a session that is not theirs any more.</summary>
public sealed class CrossoverTests
{
    private const int Visitors = 1_000;
    private const int Requests = 100_000;
    private const int Parallelism = 64;

    private static readonly string[] Ways =
    [
        "read", "write", "read", "flush", "read", "renew", "read", "read", "late", "read", "write", "read", "throw", "read", "flush", "meddle", "read", "read", "write", "read",
    ];


    [Fact]
    public async Task Of_100_000_parallel_requests_of_1_000_sessions_none_is_answered_with_anothers_values_or_ticket()
    {
        var (kept, refused) = (new ConcurrentQueue<ISession>(), 0);
        await using var app = await PipelineApp.StartAsync(app => app.MapGet("/{way}/{name}", async (HttpContext context, string way, string name) =>
        {
            var session = context.Session;
            var found = session.GetString("name") ?? "nobody";
            switch (way)
            {
                case "begin":
                    session.SetString("name", name);
                    break;
                case "write":
                    session.SetInt32("writes", (session.GetInt32("writes") ?? 0) + 1);
                    break;
                case "renew":
                    await session.RegenerateAsync(context.RequestAborted);
                    break;
                case "throw":
                    session.SetString("name", "a thrower");
                    throw new InvalidOperationException("as asked for");
                case "late":
                    context.Response.OnCompleted(() =>
                    {
                        kept.Enqueue(session);
                        return Task.CompletedTask;
                    });
                    break;
                case "meddle" when kept.TryDequeue(out var anothers):
                    Assert.Throws<InvalidOperationException>(() => anothers.SetString("name", name));
                    await anothers.CommitAsync(context.RequestAborted);
                    Interlocked.Increment(ref refused);
                    break;
                case "flush":
                    await context.Response.StartAsync(context.RequestAborted);
                    break;
            }

            await context.Response.WriteAsync(found, context.RequestAborted);
        }));
        var (codec, keys) = (app.Services.GetRequiredService<TicketCodec>(), app.Services.GetRequiredService<ISigningKeys>());
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = app.Address };
        var (cookies, tickets) = (new string[Visitors], new Ticket[Visitors]);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Parallelism };
        await Parallel.ForAsync(0, Visitors, parallel, async (visitor, _) =>
        {
            using var response = await client.GetAsync(new Uri($"begin/v{visitor}", UriKind.Relative), CancellationToken.None);
            cookies[visitor] = TicketOf(response)!;
            tickets[visitor] = Decode(cookies[visitor]);
        });

        await Parallel.ForAsync(0, Requests, parallel, async (i, _) =>
        {
            // A visitor's requests come twenty in a row, so that they overlap.
            var (visitor, way) = (i / Ways.Length % Visitors, Ways[i % Ways.Length]);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{way}/v{visitor}", UriKind.Relative));
            request.Headers.Add("Cookie", Volatile.Read(ref cookies[visitor]));
            using var response = await client.SendAsync(request, CancellationToken.None);
            if (TicketOf(response) is { } cookie)
            {
                var ticket = Decode(cookie);
                Assert.Equal(tickets[visitor].Session, ticket.Session);
                lock (tickets)
                {
                    // Answers overtake each other.
                    if (ticket.Version.Counter > tickets[visitor].Version.Counter)
                    {
                        (tickets[visitor], cookies[visitor]) = (ticket, cookie);
                    }
                }
            }

            // Who was renewed meanwhile by another request of theirs finds nothing and is refused to write.
            if (response.StatusCode == HttpStatusCode.OK)
            {
                Assert.Contains(await response.Content.ReadAsStringAsync(CancellationToken.None), (string[])[$"v{visitor}", "nobody"]);
            }
            else
            {
                Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.Conflict, HttpStatusCode.InternalServerError]);
                Assert.Contains(way, (string[])["write", "renew", "throw"]);
            }
        });

        Assert.InRange(refused, Visitors, int.MaxValue);
        Assert.Equal(Visitors, tickets.Select(ticket => ticket.Session).Distinct().Count());
        for (var visitor = 0; visitor < Visitors; visitor++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"read/v{visitor}", UriKind.Relative));
            request.Headers.Add("Cookie", cookies[visitor]);
            using var response = await client.SendAsync(request);
            Assert.Equal($"v{visitor}", await response.Content.ReadAsStringAsync());
        }

        Ticket Decode(string cookie) => codec.Decode(cookie.AsSpan(cookie.IndexOf('=', StringComparison.Ordinal) + 1), keys).Ticket!;
    }

    private static string? TicketOf(HttpResponseMessage response) => response.Headers.TryGetValues("Set-Cookie", out var lines)
        ? lines.Select(line => line.Split(';')[0]).SingleOrDefault(cookie => cookie.StartsWith("__Host-affinity=", StringComparison.Ordinal))
        : null;
}
