namespace Affinity.Sessions;

/// <summary>Every fault of <see cref="NearCacheOptions"/>, with its cure.</summary>
internal static class NearCacheOptionsValidator
{
    public static IEnumerable<string> Faults(NearCacheOptions options)
    {
        if (options.MaxAge < TimeSpan.FromMilliseconds(100) || options.MaxAge > TimeSpan.FromMinutes(1))
        {
            yield return "Affinity:Sessions:NearCache:MaxAge must be from 100 milliseconds to 1 minute: for so long a session that was ended elsewhere may still be served here when its announcement is lost.";
        }

        if (options.MaxBytes is < 64 * 1024 or > 64L * 1024 * 1024 * 1024)
        {
            yield return "Affinity:Sessions:NearCache:MaxBytes must be from 65,536 to 68,719,476,736; leave it out for one sixteenth of what the process may use, or set Affinity:Sessions:NearCache:Enabled to false.";
        }
    }
}
