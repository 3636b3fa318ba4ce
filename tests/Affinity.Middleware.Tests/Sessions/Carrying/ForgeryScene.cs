using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions.Carrying;

/// <summary>What a forger may have got hold of: genuine tickets of a victim and of their own, and for the worst case the signing key.</summary>
internal sealed class ForgeryScene
{
    private readonly PipelineApp _node;

    private ForgeryScene(PipelineApp node, ManualTime time) => (_node, Time) = (node, time);

    public ManualTime Time { get; }

    public DateTimeOffset Now => Time.GetUtcNow();

    public SigningKey Key => _node.Services.GetRequiredService<ISigningKeys>().Current!;

    /// <summary>The victim's, sealed.</summary>
    public required Ticket Held { get; init; }

    /// <summary>The same as its cookie has it.</summary>
    public string Text => Sign(Held);

    /// <summary>A ticket of the victim's whose content is only signed.</summary>
    public required Ticket HeldReadable { get; init; }

    public string ReadableText => Sign(HeldReadable);

    /// <summary>The forger's own.</summary>
    public required Ticket Other { get; init; }

    /// <summary>A ticket in three cookies.</summary>
    public required KeyValuePair<string, string>[] Large { get; init; }

    /// <summary>Another one.</summary>
    public required KeyValuePair<string, string>[] OtherLarge { get; init; }

    /// <summary>Sealed as a journal of the victim's session.</summary>
    public required byte[] Journal { get; init; }

    public static async Task<ForgeryScene> SetAsync(PipelineApp node, PipelineApp readable, ManualTime time, string secret)
    {
        var held = await HeldAsync(node, "/set/x/" + secret);
        Assert.True(node.Services.GetRequiredService<TicketSeal>().TrySeal(TicketSection.Journal, held.Session, [1, 2, 3], out var journal));
        return new ForgeryScene(node, time)
        {
            Held = held,
            HeldReadable = await HeldAsync(readable, "/set/x/" + secret),
            Other = await HeldAsync(node, "/set/x/mine"),
            Large = await LargeAsync(node),
            OtherLarge = await LargeAsync(node),
            Journal = journal,
        };
    }

    public string Sign(Ticket ticket) => _node.Sign(ticket);

    private static async Task<Ticket> HeldAsync(PipelineApp node, string path)
    {
        var visitor = new Visitor();
        await visitor.PostedAsync(node, path);
        return node.Held(visitor);
    }

    private static async Task<KeyValuePair<string, string>[]> LargeAsync(PipelineApp node)
    {
        var visitor = new Visitor();
        await visitor.PostedAsync(node, "/big/x/7000");
        var cookies = visitor.Cookies.All().Where(cookie => cookie.Name.StartsWith(CookieFarm.Cookie, StringComparison.Ordinal)).OrderBy(cookie => cookie.Name, StringComparer.Ordinal);
        KeyValuePair<string, string>[] parts = [.. cookies.Select(cookie => KeyValuePair.Create(cookie.Name, cookie.Value))];
        Assert.Equal(3, parts.Length);
        return parts;
    }
}
