using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.Tests.Stickiness;

/// <summary>What the stage itself costs a request in memory, Kestrel and the other stages left out.</summary>
public sealed class StickinessAllocationTests(ITestOutputHelper output)
{
    private const int Requests = 10_000;

    [Theory]
    [InlineData("an anonymous request", null, false, 256)]
    [InlineData("a bound visitor's request", "a", false, 384)]
    [InlineData("a visitor's whom the balancer sent elsewhere", "b", false, 384)]
    [InlineData("an anonymous request to a draining node", null, true, 256)]
    public async Task A_request_allocates_a_few_hundred_bytes(string what, string? route, bool drains, long bound)
    {
        await using var farm = await StickyFarm.StartAsync("a b c");
        if (drains)
        {
            await farm.AskAsync("a", NodeWish.Drain);
        }

        var (reader, judge) = (farm["a"].Get<StickinessReader>(), farm["a"].Get<StickinessJudge>());
        var context = new DefaultHttpContext();
        context.Features.Set(new TicketFeature(TicketReading.None, context.Response));
        context.Request.Headers.Cookie = route is null ? "theme=dark" : $"theme=dark; AFF={route}";
        Run(reader, judge, context, Requests);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(reader, judge, context, Requests);
        var perRequest = (GC.GetAllocatedBytesForCurrentThread() - before) / Requests;

        output.WriteLine($"{what}: {perRequest} bytes");
        Assert.InRange(perRequest, 0, bound);
    }

    private static void Run(StickinessReader reader, StickinessJudge judge, HttpContext context, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var reading = reader.ReadAsync(context);
            judge.Foresee(reading.IsCompletedSuccessfully ? reading.Result : throw new InvalidOperationException("It waits."));
        }
    }
}
