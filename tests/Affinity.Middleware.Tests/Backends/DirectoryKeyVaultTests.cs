using Affinity.Backends.Directory;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class DirectoryKeyVaultConformanceTests : KeyVaultConformance, IDisposable
{
    private readonly TempDirectory _directory = new();

    protected override IKeyVault Vault => new DirectoryKeyVault(_directory.Path, TimeProvider.System);

    public void Dispose() => _directory.Dispose();
}

/// <summary>What lies in the directory, and what becomes of what should not.</summary>
public sealed class DirectoryKeyVaultTests : IDisposable
{
    private readonly TempDirectory _parent = new();
    private readonly ManualTime _time = new();
    private readonly string _directory;

    public DirectoryKeyVaultTests() => _directory = Path.Combine(_parent.Path, "shop", "keys");

    private DirectoryKeyVault Vault => new(_directory, _time);

    public void Dispose() => _parent.Dispose();

    [Fact]
    public async Task Only_the_apps_user_can_read_what_is_made()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // there the directory's own rights are inherited
        }

        await AppendAsync("one", 0);

        const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Own | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory));
        Assert.Equal(Own | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder()));
        Assert.Equal(Own, File.GetUnixFileMode(Element(0)));
    }

    [Fact]
    public async Task However_many_append_at_once_again_and_again_each_position_is_given_once()
    {
        for (var seen = 0; seen < 150; seen++)
        {
            var position = seen;
            using var gate = new Barrier(4);
            var tries = Enumerable.Range(0, 4).Select(i => Task.Factory.StartNew(
                () =>
                {
                    gate.SignalAndWait();
                    return new DirectoryKeyVault(_directory, TimeProvider.System).AppendAsync("Signing", $"{position}-{i}", position, default).AsTask(); // the clock that dates files
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).Unwrap());

            var given = await Task.WhenAll(tries);

            var first = Assert.Single(Enumerable.Range(0, 4), i => given[i]);
            Assert.Equal($"{position}-{first}", (await ReadAsync())[position]);
        }
    }

    [Fact]
    public async Task Two_vaults_on_one_directory_are_one()
    {
        Assert.True(await new DirectoryKeyVault(_directory, _time).AppendAsync("Signing", "one", 0, default));
        Assert.False(await new DirectoryKeyVault(_directory, _time).AppendAsync("Signing", "two", 0, default));

        Assert.Equal(["one"], await ReadAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 3 ")]
    [InlineData("2 3 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\none")]
    [InlineData("1 3 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\non")]
    [InlineData("1 3 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\none more")]
    [InlineData("1 3 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\nonE")]
    public async Task A_file_that_is_cut_or_damaged_is_no_key_and_keeps_its_place(string content)
    {
        await AppendAsync("one", 0);
        await AppendAsync("two", 1);
        await File.WriteAllTextAsync(Element(0), content);

        Assert.Equal(["", "two"], await ReadAsync());
        Assert.True(await AppendAsync("one", 2));
        Assert.Equal(["", "two", "one"], await ReadAsync());
    }

    [Fact]
    public async Task A_file_that_was_removed_keeps_its_place_and_one_that_is_too_large_is_not_read()
    {
        await AppendAsync("one", 0);
        await AppendAsync("two", 1);
        await AppendAsync("three", 2);
        File.Delete(Element(0));
        await File.WriteAllBytesAsync(Element(1), new byte[100_000]);

        Assert.Equal(["", "", "three"], await ReadAsync());
        Assert.False(await AppendAsync("one", 0));
        Assert.True(await AppendAsync("one", 3));
    }

    [Fact]
    public async Task Files_of_others_are_left_alone_and_those_of_processes_that_died_are_removed_after_an_hour()
    {
        await AppendAsync("one", 0);
        string[] strange = ["readme.txt", "1.key", "000001.key.bak", "99999999999.key", "x.new"];
        foreach (var name in strange)
        {
            await File.WriteAllTextAsync(Path.Combine(Folder(), name), "?");
            File.SetLastWriteTimeUtc(Path.Combine(Folder(), name), _time.GetUtcNow().UtcDateTime);
        }

        Assert.Equal(["one"], await ReadAsync());
        Assert.True(await AppendAsync("two", 1));
        Assert.Equal(7, Directory.GetFiles(Folder()).Length);
        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.True(await AppendAsync("three", 2));
        Assert.Equal(["000000.key", "000001.key", "000001.key.bak", "000002.key", "1.key", "99999999999.key", "readme.txt"], Directory.GetFiles(Folder()).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("../../escape")]
    [InlineData("/etc/passwd")]
    [InlineData("a\0b")]
    public async Task No_ring_lies_outside(string ring)
    {
        await Vault.AppendAsync(ring, "one", 0, default);

        Assert.Single(Directory.GetDirectories(_directory));
        Assert.Equal(["keys"], Directory.GetFileSystemEntries(Path.GetDirectoryName(_directory)!).Select(Path.GetFileName));
        Assert.Equal(["one"], await Vault.ReadAsync(ring, default));
    }

    [Fact]
    public async Task Rings_that_differ_by_a_capital_letter_are_apart_on_every_file_system()
    {
        await Vault.AppendAsync("Signing", "one", 0, default);
        await Vault.AppendAsync("signing", "two", 0, default);

        Assert.Equal(2, Directory.GetDirectories(_directory).Select(path => path.ToUpperInvariant()).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(["one"], await ReadAsync());
    }

    [Fact]
    public async Task A_directory_that_cannot_be_is_a_fault_that_names_it_and_the_cure()
    {
        var file = Path.Combine(_parent.Path, "file");
        await File.WriteAllTextAsync(file, "");
        var vault = new DirectoryKeyVault(Path.Combine(file, "keys"), _time);

        var read = await Assert.ThrowsAsync<KeyVaultException>(async () => await vault.ReadAsync("Signing", default));
        await Assert.ThrowsAsync<KeyVaultException>(async () => await vault.AppendAsync("Signing", "one", 0, default));

        Assert.Contains(Path.Combine(file, "keys"), read.Message, StringComparison.Ordinal);
        Assert.Contains("Affinity:KeyDirectory", read.Message, StringComparison.Ordinal);
    }

    private string Folder() => Assert.Single(Directory.GetDirectories(_directory));

    private string Element(int position) => Path.Combine(Folder(), $"{position:D6}.key");

    private async Task<IReadOnlyList<string>> ReadAsync() => await Vault.ReadAsync("Signing", CancellationToken.None);

    private async Task<bool> AppendAsync(string element, int seen) => await Vault.AppendAsync("Signing", element, seen, CancellationToken.None);
}
