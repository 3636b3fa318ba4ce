namespace Affinity.LoadBench;

/// <summary>A B C D, A B C D, …: whatever the machine does meanwhile, it does to all.</summary>
internal static class Rounds
{
    public static async Task<Dictionary<string, Sample>> PlayAsync(IReadOnlyList<Contender> contenders, Setting setting, int rounds, TimeSpan duration)
    {
        var samples = contenders.ToDictionary(contender => contender.Name, _ => new List<Sample>(), StringComparer.Ordinal);
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var contender in contenders)
            {
                Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {setting}, round {round} of {rounds}: {contender.Name}");

                // While the others had their turns, what this app remembers has grown older than NearCache:MaxAge: measured are visitors who are active, with all their sessions recently read.
                await contender.MeasureAsync(setting with { Connections = 32 }, TimeSpan.FromSeconds(1));
                samples[contender.Name].Add(await contender.MeasureAsync(setting, duration));
            }
        }

        return samples.ToDictionary(pair => pair.Key, pair => Sample.Median(pair.Value), StringComparer.Ordinal);
    }
}
