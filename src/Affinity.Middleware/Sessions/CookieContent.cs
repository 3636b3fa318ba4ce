using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>What came of reading the content of a ticket.</summary>
internal enum ContentKind
{
    /// <summary>It cannot be opened here just now: a fault of ours. The ticket stays as it is.</summary>
    Unopened,

    /// <summary>Nobody writes this, or it is less protected than it has to be.</summary>
    Damaged,

    /// <summary>Here it is.</summary>
    Opened,
}

/// <summary>How the content of a ticket is protected.</summary>
internal enum ContentForm
{
    /// <summary>No node of this release writes this.</summary>
    Unknown,

    /// <summary>It can be read.</summary>
    Plain,

    /// <summary>It is encrypted.</summary>
    Sealed,

    /// <summary>It can be read, once it is unpacked.</summary>
    Deflated,
}

/// <summary>The session in a ticket, when it was opened; else <paramref name="Items"/> is empty and the times are of no meaning.</summary>
internal readonly record struct ContentOpening(ContentKind Kind, DateTimeOffset Created, DateTimeOffset Renewed, IReadOnlyDictionary<string, byte[]> Items)
{
    public static ContentOpening Of(ContentKind kind) => new(kind, default, default, SessionSnapshot.NoItems);
}

/// <summary>
/// The form of a session in its ticket's content section: one byte, and behind it the stored form of <see cref="SessionCodec"/>:
/// <code>
/// 01 | payload              readable; what Protection = Sign writes
/// 02 | payload, sealed      by Data Protection (<see cref="TicketSeal"/>), for this session and this purpose; what SignAndEncrypt writes
/// 03 | payload, deflated    RFC 1951, readable; what Sign with Compress writes
/// </code>
/// A reader takes sealed content always, readable one only when it is told to <c>Sign</c>, and never unpacks more than the largest session. Read once the ticket's MAC is verified.
/// </summary>
internal sealed class CookieContent(TicketSeal seal, SessionsOptions options)
{
    private const byte Plain = 1;
    private const byte Sealed = 2;
    private const byte Deflated = 3;

    private bool MayBeReadable => options.Cookie.Protection == ContentProtection.Sign;

    /// <exception cref="SessionTooLargeException">It has no room in the ticket.</exception>
    /// <exception cref="SessionUnavailableException">It cannot be sealed: there is no Data Protection key just now.</exception>
    public byte[] Encode(SessionId session, DateTimeOffset created, DateTimeOffset renewed, IReadOnlyDictionary<string, byte[]> items)
    {
        var payload = SessionCodec.Encode(created, renewed, items, options.MaxBytes);
        var content = !MayBeReadable ? Seal(session, payload, items)
            : options.Cookie.Compress ? Deflate(payload)
            : [Plain, .. payload];
        return content.Length <= seal.MaxLength ? content : throw TooLarge(items, content.Length);
    }

    /// <summary>Reads. Waits only for a key that this node does not know.</summary>
    public async ValueTask<ContentOpening> OpenAsync(SessionId session, byte[] content, CancellationToken cancellationToken) =>
        FormOf(content) == ContentForm.Sealed ? Of(await seal.OpenAsync(TicketSection.Content, session, content[1..], cancellationToken))
        : MayBeReadable ? OfReadable(content, options.MaxBytes)
        : ContentOpening.Of(ContentKind.Damaged);

    /// <summary>What its first byte says.</summary>
    public static ContentForm FormOf(byte[] content) => content[0] switch
    {
        Plain => ContentForm.Plain,
        Sealed => ContentForm.Sealed,
        Deflated => ContentForm.Deflated,
        _ => ContentForm.Unknown,
    };

    /// <summary>Reads a sealed one whose seal was opened, or not.</summary>
    public static ContentOpening Of(in SealOpening opening) =>
        opening.Kind == SealKind.Opened ? Read(opening.Content)
        : ContentOpening.Of(opening.Kind == SealKind.Unreachable ? ContentKind.Unopened : ContentKind.Damaged);

    /// <summary>Reads one that is not sealed.</summary>
    public static ContentOpening OfReadable(byte[] content, int maxBytes) => FormOf(content) switch
    {
        ContentForm.Plain => Read(content.AsSpan(1)),
        ContentForm.Deflated when TryInflate(content, maxBytes, out var inflated) => Read(inflated),
        _ => ContentOpening.Of(ContentKind.Damaged),
    };

    private static ContentOpening Read(ReadOnlySpan<byte> payload) =>
        SessionCodec.TryDecode(payload, out var created, out var renewed, out var items)
            ? new ContentOpening(ContentKind.Opened, created, renewed, items)
            : ContentOpening.Of(ContentKind.Damaged);

    private byte[] Seal(SessionId session, byte[] payload, IReadOnlyDictionary<string, byte[]> items)
    {
        if (payload.Length >= seal.MaxLength)
        {
            throw TooLarge(items, payload.Length + 1);
        }

        return seal.TrySeal(TicketSection.Content, session, payload, out var sealedBytes)
            ? [Sealed, .. sealedBytes]
            : throw new SessionUnavailableException("The session was not saved: there is no Data Protection key just now to encrypt it with for the visitor's cookie.");
    }

    private static byte[] Deflate(byte[] payload)
    {
        using var buffer = new MemoryStream();
        buffer.WriteByte(Deflated);
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(payload);
        }

        return buffer.ToArray();
    }

    /// <summary>Stops at the size that no session may have, whatever the bytes go on to.</summary>
    private static bool TryInflate(byte[] content, int maxBytes, [NotNullWhen(true)] out byte[]? payload)
    {
        payload = null;
        using var inflate = new DeflateStream(new MemoryStream(content, 1, content.Length - 1), CompressionMode.Decompress);
        using var buffer = new MemoryStream();
        var chunk = new byte[4096];
        try
        {
            for (int read; (read = inflate.Read(chunk)) > 0;)
            {
                if (buffer.Length + read > maxBytes)
                {
                    return false;
                }

                buffer.Write(chunk, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            return false;
        }

        payload = buffer.ToArray();
        return true;
    }

    private SessionTooLargeException TooLarge(IReadOnlyDictionary<string, byte[]> items, int size) =>
        SessionTooLargeException.For(items, size, seal.MaxLength, "Affinity:Ticket:MaxBytes (in characters of the cookies, as far as balancers let them through)");
}
