namespace Affinity.Tickets;

/// <summary>Where the framework's Data Protection leaves no other way: its storage and its key ring are synchronous.</summary>
internal static class Blocking
{
    /// <summary>Waits for the answer.</summary>
    /// <exception cref="KeyVaultException">It did not come within <paramref name="limit"/>, although the call bounds itself: no thread was free to bring it.</exception>
    public static bool Wait(ValueTask<bool> call, TimeSpan limit)
    {
        if (call.IsCompleted)
        {
            return call.GetAwaiter().GetResult();
        }

        var task = call.AsTask();
        return ((IAsyncResult)task).AsyncWaitHandle.WaitOne(limit)
            ? task.GetAwaiter().GetResult()
            : throw new KeyVaultException("The key vault did not answer in time.");
    }
}
