using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Affinity.Tickets;

namespace Affinity.Backends.Directory;

/// <summary>
/// Key rings as files, for farms without a store: on one host, or on a volume that all instances mount. A ring is a folder, an element a file in it, named by its position and never changed:
/// <c>000000.key</c> holds <c>1 length hash</c>, a line feed and the element, so that what is only half there is seen to be. Nobody else than the process's user can read what is made here.
/// </summary>
/// <remarks>
/// An append writes a file of another name, down to the disk, and then gives it the position's name, which fails if that exists: whoever is first has it, in whatever process and on whatever host. A process that dies in
/// between leaves a file that nobody reads. An element that is damaged or removed keeps its position and reads as an empty text, which is no key: instances that know it append it again.
/// </remarks>
internal sealed class DirectoryKeyVault(string directory, TimeProvider time) : IKeyVault
{
    private const string Format = "1";
    private const string Extension = ".key";
    private const string Unfinished = ".new";
    private const int MaxElements = 10_000;
    private const int MaxFile = (64 * 1024) + 100;
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode ElementMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // A process that is still writing after so long is dead.
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidRing(ring);
        return InBackgroundAsync<IReadOnlyList<string>>(() => Read(FolderOf(ring)), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidAppend(ring, element, seen);
        return InBackgroundAsync(() => Append(FolderOf(ring), element, seen), cancellationToken);
    }

    /// <summary>A volume that hangs holds up nobody who has given up.</summary>
    private async ValueTask<T> InBackgroundAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await Task.Run(work, CancellationToken.None).WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new KeyVaultException(
                $"The key directory {directory} cannot be used ({Reason(exception)}). See that it exists or can be made, that the app's user may read and write it, and that every instance has the same one (Affinity:KeyDirectory).", exception);
        }
    }

    private static string Reason(Exception exception) => exception switch
    {
        UnauthorizedAccessException => "not permitted",
        DirectoryNotFoundException or FileNotFoundException => "not found",
        NotSupportedException unsupported => unsupported.Message,
        _ => exception.GetType().Name,
    };

    private string[] Read(string folder)
    {
        Make(folder);
        var elements = new string[Count(folder)];
        for (var i = 0; i < elements.Length; i++)
        {
            elements[i] = ReadElement(Path.Combine(folder, NameOf(i)));
        }

        return elements;
    }

    private bool Append(string folder, string element, int seen)
    {
        Make(folder);
        if (Count(folder) != seen)
        {
            return false;
        }

        if (seen >= MaxElements)
        {
            throw new IOException($"A ring has at most {MaxElements} elements.");
        }

        var unfinished = Path.Combine(folder, $"{Guid.NewGuid():N}{Unfinished}");
        try
        {
            Write(unfinished, element);
            return ExclusiveName.TryGive(unfinished, Path.Combine(folder, NameOf(seen)));
        }
        finally
        {
            Sweep(folder, unfinished);
        }
    }

    private static void Write(string path, string element)
    {
        var content = Encoding.UTF8.GetBytes(element);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = ElementMode;
        }

        using var stream = new FileStream(path, options);
        stream.Write(HeadOf(content));
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }

    private static string ReadElement(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (stream.Length > MaxFile)
            {
                return "";
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var end = bytes.AsSpan().IndexOf((byte)'\n') + 1;
            return bytes.AsSpan(0, end).SequenceEqual(HeadOf(bytes.AsSpan(end))) ? Encoding.UTF8.GetString(bytes, end, bytes.Length - end) : "";
        }
        catch (Exception exception) when (exception is FileNotFoundException or EndOfStreamException)
        {
            return "";
        }
    }

    private static byte[] HeadOf(ReadOnlySpan<byte> content) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Format} {content.Length} {Convert.ToHexStringLower(SHA256.HashData(content))}\n"));

    /// <summary>One more than the highest position: one that was removed keeps its place.</summary>
    private static int Count(string folder)
    {
        var count = 0;
        foreach (var path in System.IO.Directory.EnumerateFiles(folder, "*" + Extension))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var position) && position < MaxElements
                && string.Equals(Path.GetFileName(path), NameOf(position), StringComparison.Ordinal))
            {
                count = Math.Max(count, position + 1);
            }
        }

        return count;
    }

    private void Make(string folder)
    {
        // One by one: the system gives the rights to the last part of a path only.
        foreach (var path in (ReadOnlySpan<string>)[directory, folder])
        {
            if (System.IO.Directory.Exists(path))
            {
                continue;
            }

            if (OperatingSystem.IsWindows())
            {
                System.IO.Directory.CreateDirectory(path);
            }
            else
            {
                System.IO.Directory.CreateDirectory(path, FolderMode);
            }
        }
    }

    /// <summary>Takes away this call's unfinished file, and those of processes that died long ago.</summary>
    private void Sweep(string folder, string own)
    {
        try
        {
            File.Delete(own);
            foreach (var path in System.IO.Directory.EnumerateFiles(folder, "*" + Unfinished))
            {
                if (time.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(path) > Abandoned)
                {
                    File.Delete(path);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // They are in nobody's way; the next append tries again.
        }
    }

    private static string NameOf(int position) => position.ToString("D6", CultureInfo.InvariantCulture) + Extension;

    /// <summary>Ring names are any text, and some file systems tell no capital letters apart: so the name for people, and a hash that decides.</summary>
    private string FolderOf(string ring) => Path.Combine(
        directory,
        string.Concat(ring.Take(32).Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-')) + "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ring)))[..16]);
}
