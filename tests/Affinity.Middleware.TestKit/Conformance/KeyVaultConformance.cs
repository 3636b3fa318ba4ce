using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

/// <summary>The executable form of <see cref="IKeyVault"/>. Each fact uses a ring of its own.</summary>
public abstract class KeyVaultConformance
{
    private readonly string _ring = $"ring-{Guid.NewGuid():N}";

    /// <summary>The vault under test; other tests may use it at the same time.</summary>
    protected abstract IKeyVault Vault { get; }

    [Fact]
    public async Task An_unknown_ring_is_empty() => Assert.Empty(await ReadAsync());

    [Fact]
    public async Task Elements_are_read_in_the_order_in_which_they_came()
    {
        Assert.True(await AppendAsync("one", 0));
        Assert.True(await AppendAsync("two", 1));
        Assert.True(await AppendAsync("one", 2));

        Assert.Equal(["one", "two", "one"], await ReadAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public async Task An_append_by_one_who_saw_another_length_is_refused(int seen)
    {
        Assert.True(await AppendAsync("one", 0));

        Assert.False(await AppendAsync("two", seen));
        Assert.Equal(["one"], await ReadAsync());
    }

    [Fact]
    public async Task An_append_to_an_empty_ring_by_one_who_saw_more_is_refused()
    {
        Assert.False(await AppendAsync("one", 1));
        Assert.Empty(await ReadAsync());
    }

    [Fact]
    public async Task Of_many_that_start_together_on_an_empty_ring_exactly_one_appends()
    {
        var appended = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => AppendAsync($"key-{i}", 0))));

        Assert.Single(appended, accepted => accepted);
        Assert.Single(await ReadAsync());
    }

    [Fact]
    public async Task Rings_are_apart()
    {
        await AppendAsync("one", 0);

        Assert.Empty(await Vault.ReadAsync(_ring + "-other", CancellationToken.None));
    }

    [Fact]
    public async Task What_was_read_does_not_change_later()
    {
        await AppendAsync("one", 0);
        var read = await ReadAsync();
        await AppendAsync("two", 1);

        Assert.Equal(["one"], read);
    }

    [Theory]
    [InlineData("<key id=\"1\">&amp;</key>\r\n")]
    [InlineData("Schlüssel 鍵 🔑 \0 end")]
    [InlineData(" ")]
    public async Task An_element_comes_back_to_the_letter(string element)
    {
        Assert.True(await AppendAsync(element, 0));

        Assert.Equal([element], await ReadAsync());
    }

    [Fact]
    public async Task The_largest_element_is_taken_and_a_larger_one_refused()
    {
        var largest = new string('ä', 32 * 1024);
        Assert.True(await AppendAsync(largest, 0));

        await Assert.ThrowsAnyAsync<ArgumentException>(() => AppendAsync(largest + "x", 1));
        Assert.Equal([largest], await ReadAsync());
    }

    [Fact]
    public async Task Wrong_arguments_are_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => AppendAsync("", 0));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => AppendAsync("one", -1));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Vault.ReadAsync("", CancellationToken.None));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Vault.ReadAsync(new string('r', 101), CancellationToken.None));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Vault.AppendAsync(new string('r', 101), "one", 0, CancellationToken.None));
    }

    [Fact]
    public async Task A_cancelled_token_ends_every_call_at_once_and_changes_nothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Vault.ReadAsync(_ring, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Vault.AppendAsync(_ring, "one", 0, cancelled));

        Assert.Empty(await ReadAsync());
    }

    private async Task<IReadOnlyList<string>> ReadAsync() => await Vault.ReadAsync(_ring, CancellationToken.None);

    private async Task<bool> AppendAsync(string element, int seen) => await Vault.AppendAsync(_ring, element, seen, CancellationToken.None);
}
