using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;

namespace Affinity.ServerTests.DataProtection;

/// <summary>Real processes and no store: what they share is a directory.</summary>
public sealed class KeyDirectoryTests
{
    private const int Processes = 4;

    [Fact]
    public async Task Processes_that_start_at_once_on_an_empty_directory_agree_on_one_key_of_each_kind_and_accept_each_others_sign_ins()
    {
        using var parent = new TempDirectory();
        var directory = Path.Combine(parent.Path, "keys");
        var nodes = await Task.WhenAll(Enumerable.Range(1, Processes).Select(i => StartAsync(directory, i)));
        try
        {
            foreach (var ring in Directory.GetDirectories(directory))
            {
                Assert.Equal("000000.key", Path.GetFileName(Assert.Single(Directory.GetFiles(ring))));
            }

            Assert.Equal(["DataProtection", "Signing"], Directory.GetDirectories(directory).Select(path => Path.GetFileName(path).Split('-')[0]).Order(StringComparer.Ordinal));
            foreach (var node in nodes)
            {
                var visitor = new Visitor();
                using var signedIn = await visitor.GetAsync(node.BaseAddress, "signin?name=ada");
                foreach (var other in nodes)
                {
                    Assert.Equal("ada", await visitor.GetStringAsync(other.BaseAddress, "whoami"));
                }
            }

            // The ring is put back by whoever knows it.
            Directory.Delete(directory, recursive: true);
            await Eventually(() => Directory.Exists(directory) && Directory.GetDirectories(directory).Length == 2 && Directory.GetDirectories(directory).All(ring => File.Exists(Path.Combine(ring, "000000.key"))));
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    private static Task<AppProcess> StartAsync(string directory, int number) => AppProcess.StartAsync(new AppStart
    {
        Dll = typeof(SessionProbe).Assembly.Location,
        Configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Affinity:Node:Id"] = "node-" + number,
            ["Affinity:KeyDirectory"] = directory,
        },
    });

    private static async Task Eventually(Func<bool> holds)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < deadline, "The keys did not come back.");
            await Task.Delay(50);
        }
    }
}
