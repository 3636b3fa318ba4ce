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

        Assert.Equal("1zIlOapkgR6sIoMLQ", settings.Text);
        Assert.Equal("1zIlO", settings.Short);
        Assert.Equal("Affinity:Sessions:IdleTimeout", settings.NameOf("sI"));
        Assert.Null(settings.NameOf("zz"));
    }

    [Fact]
    public void Nothing_to_tell_is_told_as_nothing() => Assert.Null(AgreedSettings.None.Text ?? AgreedSettings.None.Short);

    [Fact]
    public void What_is_told_is_read_by_code()
    {
        var told = AgreedSettings.Read("1zIlOapkgR6sIoMLQ")!;

        Assert.Equal("zIlO", told.All);
        Assert.Equal(["ap kgR6", "sI oMLQ"], told.ByCode.Select(entry => $"{entry.Key} {entry.Value}").Order(StringComparer.Ordinal));
        Assert.Empty(AgreedSettings.Read("1zIlO")!.ByCode);
    }

    public static TheoryData<string?> Hostile =>
    [
        null, "", "1", "1abc", "2abcdapBgBf", "1abcdapBgB", "1abcdapBgBfs", "1abcdapBgB ", "1abcdapBg\r\n", "1abcdapB,Bf", "1abcdapBgBfapBgBf", "1abcdapBgBé", "1abcd" + string.Concat(Enumerable.Range(100, 171).Select(i => $"{i}abc")),
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
