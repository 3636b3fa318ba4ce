using System.Globalization;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class ServerProcessTests
{
    private static readonly ServerStart Sleep = new() { FileName = "sleep", Arguments = ["600"] };

    [Fact]
    public async Task Sigterm_lets_a_process_end_in_its_own_way()
    {
        await using var process = await ServerProcess.StartAsync(Shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done") with { Ready = Readiness.Line("up") });
        Assert.Null(process.ExitCode);
        process.Terminate();
        Assert.Equal(7, await process.WaitForExitAsync());
        await process.Output.WaitForLineAsync("bye");
        Assert.Throws<InvalidOperationException>(process.Freeze);
    }

    [Fact]
    public async Task A_process_that_ends_before_it_is_ready_fails_with_its_output()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ServerProcess.StartAsync(Shell("echo no disk >&2; exit 3") with { Ready = Readiness.Line("up") }));
        Assert.Contains("code 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("no disk", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_is_never_ready_fails_with_its_output()
    {
        var error = await Assert.ThrowsAsync<TimeoutException>(
            () => ServerProcess.StartAsync(Shell("echo thinking; exec sleep 600") with { Ready = Readiness.Tcp(LoopbackPort.Next()), ReadyWithin = TimeSpan.FromSeconds(0.5) }));
        Assert.Contains("thinking", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disposing_ends_the_children_and_removes_the_directory()
    {
        var process = await ServerProcess.StartAsync(Shell("sleep 600 & echo child $!; pwd; wait") with { Ready = Readiness.Line("affinity-") });
        var child = PidIn(await process.Output.WaitForLineAsync("child "));
        var folder = await process.Output.WaitForLineAsync("affinity-");
        Assert.True(IsAlive(child));
        Assert.True(Directory.Exists(folder));

        await process.DisposeAsync();
        await Dead(child);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Output_is_bounded_to_its_last_lines()
    {
        await using var process = await ServerProcess.StartAsync(Shell("seq 5000"));
        await process.WaitForExitAsync();
        Assert.Equal(1000, process.Output.Lines().Count);
        Assert.Equal("5000", process.Output.Lines()[^1]);
    }

    [Fact]
    public async Task A_process_outlives_the_thread_that_asked_for_it()
    {
        // The parent-death signal is the parent thread's: a child started on this thread itself would be killed with it.
        ServerProcess? process = null;
        var thread = new Thread(() => process = ServerProcess.StartAsync(Sleep).GetAwaiter().GetResult());
        thread.Start();
        thread.Join();
        await Task.Delay(200);
        Assert.False(process!.HasExited);
        await process.DisposeAsync();
    }

    [Fact]
    public async Task A_test_run_that_is_killed_takes_its_servers_along()
    {
        await using var run = await ServerProcess.StartAsync(new ServerStart
        {
            FileName = "dotnet",
            Arguments = [typeof(ServerProcess).Assembly.Location, "--urls", $"http://127.0.0.1:{LoopbackPort.Next()}"],
            Environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["DOTNET_STARTUP_HOOKS"] = typeof(ServerProcessTests).Assembly.Location },
            Ready = Readiness.Line(StartupHook.Announcement),
        });
        var orphan = PidIn(await run.Output.WaitForLineAsync(StartupHook.Announcement));
        Assert.True(IsAlive(orphan));

        run.Kill();
        await Dead(orphan);
    }

    private static ServerStart Shell(string script) => new() { FileName = "sh", Arguments = ["-c", script] };

    private static int PidIn(string line) => int.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture);

    private static async Task Dead(int process)
    {
        for (var i = 0; IsAlive(process); i++)
        {
            Assert.True(i < 250, $"Process {process} still lives.");
            await Task.Delay(20);
        }
    }

    // A zombie that nobody reaps is dead.
    private static bool IsAlive(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
