using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Shop;

/// <summary>The sample shop in a process of its own with the in-process backend, started once for the tests of a class.</summary>
public sealed class ShopApp : IAsyncLifetime
{
    public const string Node = "shop-under-test";

    private AppProcess? _app;

    public async Task InitializeAsync() => _app = await AppProcess.StartAsync(new AppStart
    {
        Dll = DllPath(),
        Configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Affinity:Node:Id"] = Node,
            ["Affinity:Ticket:InsecureAllowHttp"] = "true",
        },
    });

    public async Task DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    internal ShopVisitor NewVisitor() => new(_app!.BaseAddress);

    /// <summary>From the shop's own output folder, built in the configuration of these tests.</summary>
    internal static string DllPath()
    {
        var root = Repository.Root ?? throw new InvalidOperationException("These tests run from the repository's build output only.");
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/bin/Debug/net10.0
        return Path.Combine(root, "samples", "ShopSample", "bin", output.Parent!.Name, output.Name, "ShopSample.dll");
    }
}
