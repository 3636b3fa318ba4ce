using System.Collections.Concurrent;
using System.Diagnostics;

namespace ShopFarm;

/// <summary>
/// Starts processes that die with the farm, however it dies. The kernel sends a parent-death signal when the *thread* that forked ends, and pool threads
/// end when they are idle: so one thread that lives as long as the farm starts them all.
/// </summary>
internal static class Spawner
{
    private static readonly string? SetPriv = Tools.OnPath("setpriv");
    private static readonly BlockingCollection<Action> Work = Begin();

    public static Task<Process> StartAsync(ProcessStartInfo info)
    {
        if (SetPriv is not null)
        {
            string[] command = [info.FileName, .. info.ArgumentList];
            info.FileName = SetPriv;
            info.ArgumentList.Clear();
            foreach (var word in (string[])["--pdeathsig", "KILL", "--", .. command])
            {
                info.ArgumentList.Add(word);
            }
        }

        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception fault)
            {
                started.SetException(fault);
            }
        });
        return started.Task;
    }

    private static BlockingCollection<Action> Begin()
    {
        var work = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var action in work.GetConsumingEnumerable())
            {
                action();
            }
        })
        { IsBackground = true, Name = "spawner" }.Start();
        return work;
    }
}
