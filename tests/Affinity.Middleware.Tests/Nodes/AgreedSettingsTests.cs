using Affinity.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class AgreedSettingsTests
{
    /// <summary>Releases compare these texts with each other: a hash that changes is a drift in every rolling upgrade.</summary>
    [Fact]
    public void The_form_is_the_same_in_every_release()
    {
        var settings = new AgreedSettings([new("sI", "Affinity:Sessions:IdleTimeout", "00:20:00"), new("ap", "Affinity:Application", "shop")]);

        Assert.Equal("1apkgR6sIoMLQ", settings.Text);
        Assert.Equal("Affinity:Sessions:IdleTimeout", settings.NameOf("sI"));
        Assert.Null(settings.NameOf("zz"));
    }

    [Fact]
    public void Nothing_to_tell_is_told_as_nothing() => Assert.Null(AgreedSettings.None.Text);

    [Fact]
    public void What_is_told_is_read_by_code()
    {
        var told = AgreedSettings.Read("1apkgR6sIoMLQ")!;

        Assert.Equal(["ap kgR6", "sI oMLQ"], told.Select(entry => $"{entry.Key} {entry.Value}").Order(StringComparer.Ordinal));
    }

    public static TheoryData<string?> Hostile =>
    [
        null, "", "1", "2apBgBf", "1apBgB", "1apBgBfs", "1apBgB ", "1apBg\r\n", "1apB,Bf", "1apBgBfapBgBf", "1apBgBé", "1" + string.Concat(Enumerable.Range(10, 89).Select(i => $"{i}abcd")) + string.Concat(Enumerable.Range(10, 89).Select(i => $"x{i % 10}abcd")),
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_no_release_tells_is_nothing(string? text) => Assert.Null(AgreedSettings.Read(text));

    [Fact]
    public void Random_text_never_throws() => Prop.ForAll<string>(text =>
    {
        AgreedSettings.Read(text);
        AgreedSettings.Read("1" + text);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_code_that_is_given_twice_or_is_none_is_a_bug_and_thrown()
    {
        Assert.Throws<ArgumentException>(() => new AgreedSettings([new("ap", "a", "1"), new("ap", "b", "1")]));
        Assert.Throws<ArgumentException>(() => new AgreedSettings([new("a", "a", "1")]));
        Assert.Throws<ArgumentException>(() => new AgreedSettings([new("a=", "a", "1")]));
    }
}
