namespace Affinity.TestKit;

/// <summary>A fresh directory of its own, removed with all that is in it when it is disposed.</summary>
public sealed class TempDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("affinity-");

    /// <summary>The absolute path.</summary>
    public string Path => _directory.FullName;

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _directory.Delete(recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody was faster; gone is gone.
        }
    }
}
