using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.Options;

namespace Affinity.Tickets;

/// <summary>What came of opening a sealed section.</summary>
internal enum SealKind
{
    /// <summary>Its key is not known here, or the keys cannot be read: a fault of ours that says nothing about the section.</summary>
    Unreachable,

    /// <summary>Nobody has sealed this for this session and this application.</summary>
    Damaged,

    /// <summary>Here it is.</summary>
    Opened,
}

/// <summary>What came of opening a sealed section, with its content when it was opened.</summary>
internal readonly record struct SealOpening(SealKind Kind, byte[]? Content);

/// <summary>What is sealed: one is not opened as the other.</summary>
internal enum TicketSection
{
    /// <summary><see cref="Ticket.Journal"/>.</summary>
    Journal,

    /// <summary><see cref="Ticket.Content"/>.</summary>
    Content,
}

/// <summary>
/// Keeps what a ticket carries from its bearer's eyes, with the shared Data Protection keys, bound to section, application and session. That nobody changes it is the affair of the ticket's MAC.
/// </summary>
internal sealed class TicketSeal(
    IDataProtectionProvider protection, TicketScope scope, UnknownKeys unknown, IKeyRingProvider keys, IOptions<KeyManagementOptions> options, TicketOptions ticket)
{
    private const int HeaderSize = 4;
    private const int KeyIdSize = 16;

    private readonly bool _keysAreOurs = options.Value.XmlRepository is KeyVaultXmlRepository;

    /// <summary>How many bytes of one section a ticket has room for.</summary>
    public int MaxLength { get; } = TicketCodec.MaxSectionLength(TicketChunks.Capacity(TicketCookie.NameOf(ticket), ticket.MaxBytes));

    /// <summary>How Data Protection begins what it has sealed; behind it stands the key's id.</summary>
    private static ReadOnlySpan<byte> Header => [0x09, 0xF0, 0xC9, 0xF0];

    /// <summary>Seals; false when no key can be had just now.</summary>
    public bool TrySeal(TicketSection section, SessionId session, byte[] content, [NotNullWhen(true)] out byte[]? sealedBytes)
    {
        try
        {
            sealedBytes = Protector(section, session).Protect(content);
            return true;
        }
        catch (Exception exception) when (exception is CryptographicException or KeyVaultException)
        {
            sealedBytes = null;
            return false;
        }
    }

    /// <summary>Opens. A key that is not known is looked for first, as a cookie's is.</summary>
    public async ValueTask<SealOpening> OpenAsync(TicketSection section, SessionId session, byte[] sealedBytes, CancellationToken cancellationToken)
    {
        if (!IsSealed(sealedBytes))
        {
            return new(SealKind.Damaged, Content: null);
        }

        var keyId = new Guid(sealedBytes.AsSpan(HeaderSize, KeyIdSize));
        if (_keysAreOurs && unknown.IsWorthReading(keyId))
        {
            await unknown.CatchUpAsync([keyId], cancellationToken);
        }

        return Open(section, session, sealedBytes, keyId);
    }

    /// <summary>Opens with the keys that are known here, and asks nobody for others.</summary>
    public SealOpening OpenWithKnownKeys(TicketSection section, SessionId session, byte[] sealedBytes)
    {
        if (!IsSealed(sealedBytes))
        {
            return new(SealKind.Damaged, Content: null);
        }

        // Our key ring would look for a key that it does not know.
        var keyId = new Guid(sealedBytes.AsSpan(HeaderSize, KeyIdSize));
        return _keysAreOurs && unknown.IsWorthReading(keyId) ? new(SealKind.Unreachable, Content: null) : Open(section, session, sealedBytes, keyId);
    }

    private static bool IsSealed(byte[] bytes) => bytes.Length >= HeaderSize + KeyIdSize && bytes.AsSpan().StartsWith(Header);

    private SealOpening Open(TicketSection section, SessionId session, byte[] sealedBytes, Guid keyId)
    {
        try
        {
            return new(SealKind.Opened, Protector(section, session).Unprotect(sealedBytes));
        }
        catch (KeyVaultException)
        {
            return new(SealKind.Unreachable, Content: null);
        }
        catch (CryptographicException)
        {
            return new(Knows(keyId) ? SealKind.Damaged : SealKind.Unreachable, Content: null);
        }
    }

    /// <summary>Whether the ring in use has the key, which may be older than what its storage has: a key that another instance has just made says nothing about the section.</summary>
    private bool Knows(Guid keyId)
    {
        try
        {
            return keys.GetCurrentKeyRing().GetAuthenticatedEncryptorByKeyId(keyId, out _) is not null;
        }
        catch (Exception exception) when (exception is CryptographicException or KeyVaultException or InvalidOperationException)
        {
            // The last one: there is no key to be used, and none may be made.
            return false;
        }
    }

    // Data Protection names purposes in its log, so the session stands there by its fingerprint.
    private IDataProtector Protector(TicketSection section, SessionId session) =>
        protection.CreateProtector(section == TicketSection.Journal ? "Affinity.Ticket.Journal" : "Affinity.Ticket.Content", "v1", scope.Application, session.ToFingerprint());
}
