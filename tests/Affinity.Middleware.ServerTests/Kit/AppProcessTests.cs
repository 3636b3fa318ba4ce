using System.Net;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class AppProcessTests
{
    [Fact]
    public async Task An_app_starts_is_reached_ends_on_sigterm_and_starts_again_at_the_same_address()
    {
        await using var app = await AppProcess.StartAsync(new AppStart { Dll = typeof(AppProcess).Assembly.Location, ReadyPath = null });
        var address = app.BaseAddress;
        Assert.True(await AnswersAsync(app));

        app.Terminate();
        Assert.Equal(0, await app.WaitForExitAsync());
        Assert.Equal(0, app.ExitCode);

        await app.RestartAsync();
        Assert.Equal(address, app.BaseAddress);
        Assert.True(await AnswersAsync(app));

        app.Kill();
        Assert.Equal(128 + 9, app.ExitCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => AnswersAsync(app));
    }

    private static async Task<bool> AnswersAsync(AppProcess app)
    {
        using var answer = await new Visitor().GetAsync(app.BaseAddress, "no/such/page");
        return answer.StatusCode == HttpStatusCode.NotFound;
    }
}
