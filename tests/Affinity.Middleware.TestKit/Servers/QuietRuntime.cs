namespace Affinity.TestKit;

/// <summary>Settings for child processes on .NET: a test machine runs many of them on few cores, and each lives for seconds.</summary>
internal static class QuietRuntime
{
    public static IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TieredPGO"] = "0",

        // They live for seconds: compiling busy methods a second time, for speed, is a third of what they cost, and counting which ones are busy is most of the rest of it.
        ["DOTNET_TC_CallCounting"] = "0",
        ["DOTNET_NOLOGO"] = "1",
    };
}
