using System.Collections.Concurrent;
using System.Diagnostics;

namespace Affinity.TestKit;

/// <summary>
/// Starts processes that die with this one, even when it is killed with SIGKILL.
/// </summary>
/// <remarks>
/// Linux sends the parent-death signal when the <em>thread</em> that forked ends, not its process (prctl(2), PR_SET_PDEATHSIG).
/// A child that was started on a thread of the pool would be killed when the pool shrinks; so one thread that never ends starts
/// them all. Where <c>setpriv</c> (util-linux) is missing, children of a killed test run survive it.
/// </remarks>
internal static class ProcessNursery
{
    private static readonly string? Setpriv = Requirements.Find("setpriv");
    private static readonly BlockingCollection<Action> Births = StartThread();

    public static Task<Process> StartAsync(ProcessStartInfo start)
    {
        if (Setpriv is not null)
        {
            start = Wrap(start, Setpriv);
        }

        var born = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Births.Add(() =>
        {
            try
            {
                born.SetResult(Process.Start(start)!);
            }
#pragma warning disable CA1031 // Whatever went wrong is the caller's to see; this thread must live on.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                born.SetException(exception);
            }
        });
        return born.Task;
    }

    private static ProcessStartInfo Wrap(ProcessStartInfo start, string setpriv)
    {
        // setpriv replaces itself by the command, so the process id is the command's own.
        var arguments = (string[])["--pdeathsig", "KILL", "--", start.FileName, .. start.ArgumentList];
        start.ArgumentList.Clear();
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.FileName = setpriv;
        return start;
    }

    private static BlockingCollection<Action> StartThread()
    {
        var births = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var birth in births.GetConsumingEnumerable())
            {
                birth();
            }
        })
        { IsBackground = true, Name = "process nursery" }.Start();
        return births;
    }
}
