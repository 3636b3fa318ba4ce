using Affinity.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Sessions.Migration;

public sealed class FrameworkSessionBlobTests
{
    private static readonly byte[] Header = [2, 0, 0, 0, .. new byte[16]];

    [Fact]
    public async Task What_the_framework_writes_is_read_item_by_item()
    {
        var items = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["basket"] = "[1,2]"u8.ToArray(), ["ключ"] = [0, 255], ["empty"] = [], [""] = [7] };

        Assert.True(FrameworkSessionBlob.TryRead(await WriteAsync(items), out var read));

        Assert.Equal(items, read);
    }

    [Fact]
    public async Task More_items_than_two_bytes_count_are_read()
    {
        var items = Enumerable.Range(0, 70_000).ToDictionary(i => $"k{i}", i => BitConverter.GetBytes(i), StringComparer.Ordinal);

        Assert.True(FrameworkSessionBlob.TryRead(await WriteAsync(items), out var read));

        Assert.Equal(70_000, read.Count);
        Assert.Equal(69_999, BitConverter.ToInt32(read["k69999"]));
    }

    [Fact]
    public async Task Every_truncation_and_every_extension_is_refused()
    {
        var blob = await WriteAsync(new(StringComparer.Ordinal) { ["a"] = [1, 2, 3], ["bb"] = [] });
        for (var length = 0; length < blob.Length; length++)
        {
            Assert.False(FrameworkSessionBlob.TryRead(blob.AsSpan(0, length), out _), $"{length} of {blob.Length} bytes");
        }

        Assert.False(FrameworkSessionBlob.TryRead([.. blob, 0], out _));
    }

    public static TheoryData<string, byte[]> Hostile => new()
    {
        { "another revision", [3, .. Header.AsSpan(1)] },
        { "more items than there are bytes for", [2, 0xff, 0xff, 0xff, .. new byte[16]] },
        { "a key that is longer than the rest", [.. Count(1), 0xff, 0xff, 0, 0, 0, 0] },
        { "a value that is longer than the rest", [.. Count(1), 0, 1, 65, 0x7f, 0xff, 0xff, 0xff] },
        { "a value of negative length", [.. Count(1), 0, 1, 65, 0xff, 0xff, 0xff, 0xff] },
        { "a key that is no text", [.. Count(1), 0, 2, 0xc3, 0x28, 0, 0, 0, 0] },
        { "one key twice", [.. Count(2), 0, 1, 65, 0, 0, 0, 0, 0, 1, 65, 0, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_the_framework_does_not_write_is_refused_whole(string what, byte[] blob) => Assert.False(FrameworkSessionBlob.TryRead(blob, out _), what);

    [Fact]
    public void Random_bytes_never_throw()
    {
        Prop.ForAll<byte[], byte>((bytes, count) =>
        {
            FrameworkSessionBlob.TryRead(bytes, out _);
            FrameworkSessionBlob.TryRead([.. Count(count), .. bytes], out _);
        }).QuickCheckThrowOnFailure();
    }

    private static byte[] Count(byte count) => [2, 0, 0, count, .. new byte[16]];

    private static async Task<byte[]> WriteAsync(Dictionary<string, byte[]> items)
    {
        var cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        var key = Guid.NewGuid().ToString();
        var session = new DistributedSession(cache, key, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), () => true, NullLoggerFactory.Instance, isNewSessionKey: true);
        foreach (var (name, value) in items)
        {
            session.Set(name, value);
        }

        await session.CommitAsync();
        return (await cache.GetAsync(key))!;
    }
}
