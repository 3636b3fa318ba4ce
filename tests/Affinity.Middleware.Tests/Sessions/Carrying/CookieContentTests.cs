using Affinity.Sessions;
using Affinity.Tests.Tickets;
using Affinity.TestKit;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>The form of a session in its ticket.</summary>
public sealed class CookieContentTests : IDisposable
{
    private readonly ProtectionNode _node = new(new FakeKeyVault(), new ManualTime());
    private readonly SessionId _id = SessionId.Create();

    public static TheoryData<ContentProtection, bool> Forms => new() { { ContentProtection.SignAndEncrypt, false }, { ContentProtection.Sign, false }, { ContentProtection.Sign, true } };

    public void Dispose() => _node.Dispose();

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_session_comes_back_as_it_was(ContentProtection protection, bool compress)
    {
        var content = Content(protection, compress);
        Prop.ForAll<Dictionary<string, byte[]>>(given =>
        {
            var room = 2000;
            var items = given.Where(item => SessionCodec.IsKey(item.Key) && item.Value is not null && (room -= SessionCodec.SizeOf(item.Key, item.Value)) >= 0).ToDictionary(StringComparer.Ordinal);
            var opening = Open(content, content.Encode(_id, Sample.Now, Sample.Now.AddMinutes(1), items));
            return opening.Kind == ContentKind.Opened && (opening.Created, opening.Renewed) == (Sample.Now, Sample.Now.AddMinutes(1))
                && opening.Items.Count == items.Count && items.All(item => opening.Items[item.Key].AsSpan().SequenceEqual(item.Value));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Random_bytes_of_every_form_are_refused_without_an_exception()
    {
        var content = Content(ContentProtection.Sign, compress: false);
        Prop.ForAll<byte, byte[]>((form, bytes) => Open(content, [(byte)(form % 5), .. bytes]).Kind == ContentKind.Damaged).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_form_says_what_it_is()
    {
        var items = SessionSnapshot.NoItems;
        Assert.Equal(1, Content(ContentProtection.Sign, compress: false).Encode(_id, Sample.Now, Sample.Now, items)[0]);
        Assert.Equal(2, Content(ContentProtection.SignAndEncrypt, compress: false).Encode(_id, Sample.Now, Sample.Now, items)[0]);
        Assert.Equal(3, Content(ContentProtection.Sign, compress: true).Encode(_id, Sample.Now, Sample.Now, items)[0]);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void As_much_as_fits_is_taken_and_one_byte_more_is_not(ContentProtection protection, bool compress)
    {
        var content = Content(protection, compress);
        var random = new byte[4000];
        new Random(7).NextBytes(random);
        var (least, most) = (0, random.Length);
        while (most - least > 1)
        {
            var size = (least + most) / 2;
            (least, most) = Fits(size) ? (size, most) : (least, size);
        }

        Assert.InRange(least, 2200, 2450);
        var e = Assert.Throws<SessionTooLargeException>(() => content.Encode(_id, Sample.Now, Sample.Now, Items(3000)));
        Assert.True(e.Size > e.Limit && e.Limit > 2400);
        Assert.Contains("'x' (3007 bytes)", e.Message, StringComparison.Ordinal);

        bool Fits(int size)
        {
            try
            {
                return content.Encode(_id, Sample.Now, Sample.Now, Items(size)).Length > 0;
            }
            catch (SessionTooLargeException)
            {
                return false;
            }
        }

        Dictionary<string, byte[]> Items(int size) => new(StringComparer.Ordinal) { ["x"] = random[..size] };
    }

    private CookieContent Content(ContentProtection protection, bool compress)
    {
        var options = new SessionsOptions();
        (options.Cookie.Protection, options.Cookie.Compress) = (protection, compress);
        return new CookieContent(ActivatorUtilities.CreateInstance<TicketSeal>(_node.Services, new TicketScope("shop", []), new TicketOptions()), options);
    }

    private ContentOpening Open(CookieContent content, byte[] bytes)
    {
        var opening = content.OpenAsync(_id, bytes, default);
        return opening.IsCompletedSuccessfully ? opening.Result : throw new InvalidOperationException("Nothing is to be waited for.");
    }
}
