using System.Net;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>A rolling deployment from <c>AddSession</c> over a cache to Affinity: the visitors of the old instance notice nothing.</summary>
public sealed class MovingFromAddSessionTests(ITestOutputHelper output)
{
    private const int Visitors = 20;
    private const int Items = 3;

    [ServerTheory(Needs.Redis)]
    [InlineData("Redis")]
    [InlineData("Distributed")]
    public async Task Everything_that_visitors_had_on_the_old_instance_is_there_on_the_new_one(string store)
    {
        using var keys = new TempDirectory();
        await using var farm = await ProbeFarm.StartAsync(0);
        (string Key, string Value)[] common = [("Affinity:Application", "shop"), ("Probe:Cache", "redis"), ("Probe:Keys", keys.Path)];
        await using var old = await AppProcess.StartAsync(farm.Describe("old", [.. common, ("Probe:Framework", "true")]) with { ReadyPath = "untouched" });
        var visitors = Enumerable.Range(0, Visitors).Select(_ => new Visitor()).ToList();
        foreach (var (visitor, number) in visitors.Select((visitor, number) => (visitor, number)))
        {
            for (var item = 0; item < Items; item++)
            {
                await SavedAsync(visitor, old.BaseAddress, $"set/item{item}/{number}-{item}", $"item{item}");
            }

            await SavedAsync(visitor, old.BaseAddress, $"temp/set/told-{number}", "TempData");
        }

        await using var next = await AppProcess.StartAsync(farm.Describe(
            "new", [.. common, ("Affinity:Store", store), ("Affinity:Sessions:StoreTimeout", "00:00:05"), ("Affinity:Sessions:ReadFrameworkSessions", "true")]));
        old.Terminate();
        Assert.Equal(0, await old.WaitForExitAsync(TimeSpan.FromSeconds(20)));

        var (read, lost) = (0, 0);
        foreach (var (visitor, number) in visitors.Select((visitor, number) => (visitor, number)))
        {
            for (var item = 0; item < Items; item++)
            {
                using var response = await visitor.GetAsync(next.BaseAddress, $"get/item{item}");
                Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{response.StatusCode}: {string.Join('\n', next.Output.Lines().TakeLast(20))}");
                Count(response.StatusCode == HttpStatusCode.OK && await response.Content.ReadAsStringAsync() == $"{number}-{item}");
            }

            using var told = await visitor.PostAsync(next.BaseAddress, "temp/get");
            Count(await told.EnsureSuccessStatusCode().Content.ReadAsStringAsync() == $"told-{number}");
            using var again = await visitor.PostAsync(next.BaseAddress, "temp/get");
            Assert.Equal("nothing", await again.Content.ReadAsStringAsync());
        }

        output.WriteLine($"Rolling deployment from AddSession to Affinity ({store}), {Visitors} visitors with {Items} items and TempData each: {read} read on the new instance, {lost} lost");
        Assert.Equal((Visitors * (Items + 1), 0), (read, lost));

        void Count(bool isThere) => (read, lost) = (read + (isThere ? 1 : 0), lost + (isThere ? 0 : 1));
    }

    /// <summary>The framework saves after it has answered: what is not awaited here the next request of the same visitor would overwrite, on the old instance already.</summary>
    private static async Task SavedAsync(Visitor visitor, Uri node, string path, string key)
    {
        (await visitor.PostAsync(node, path)).EnsureSuccessStatusCode();
        for (var tries = 0; !(await visitor.GetStringAsync(node, "keys")).Contains(key, StringComparison.Ordinal); tries++)
        {
            Assert.True(tries < 200, $"The old instance has not saved {key}.");
            await Task.Delay(20);
        }
    }
}
