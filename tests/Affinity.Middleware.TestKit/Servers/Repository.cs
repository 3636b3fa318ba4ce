namespace Affinity.TestKit;

/// <summary>The working copy that the running tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder of Affinity.sln; <c>null</c> when the binaries were taken elsewhere.</summary>
    public static string? Root { get; } = FindRoot();

    private static string? FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Affinity.sln")))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
