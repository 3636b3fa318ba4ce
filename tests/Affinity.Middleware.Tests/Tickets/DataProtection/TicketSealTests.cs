using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Tickets;

/// <summary>What a ticket carries is opened for its session and its application only, and a fault of ours is told apart from damage.</summary>
public sealed class TicketSealTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly FakeKeyVault _vault = new();
    private readonly ProtectionNode _node;
    private readonly SessionId _session = SessionId.Create();

    public TicketSealTests() => _node = new ProtectionNode(_vault, _time);

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task What_one_node_has_sealed_another_one_opens()
    {
        var sealedBytes = Sealed(Seal(_node));
        using var other = new ProtectionNode(_vault, _time);

        var opening = await Seal(other).OpenAsync(TicketSection.Journal, _session, sealedBytes, default);

        Assert.Equal(SealKind.Opened, opening.Kind);
        Assert.Equal([1, 2, 3], opening.Content);
    }

    [Fact]
    public async Task Of_another_session_or_application_or_changed_it_is_damaged()
    {
        var seal = Seal(_node);
        var sealedBytes = Sealed(seal);
        var changed = sealedBytes.ToArray();
        changed[^1] ^= 1;

        Assert.Equal(SealKind.Damaged, (await seal.OpenAsync(TicketSection.Journal, SessionId.Create(), sealedBytes, default)).Kind);
        Assert.Equal(SealKind.Damaged, (await Seal(_node, "other").OpenAsync(TicketSection.Journal, _session, sealedBytes, default)).Kind);
        Assert.Equal(SealKind.Damaged, (await seal.OpenAsync(TicketSection.Journal, _session, changed, default)).Kind);
        Assert.Equal(SealKind.Damaged, (await seal.OpenAsync(TicketSection.Journal, _session, [1, 2, 3], default)).Kind);
    }

    [Fact]
    public async Task Under_a_key_that_is_not_known_it_is_out_of_reach_and_not_damaged()
    {
        using var stranger = new ProtectionNode(new FakeKeyVault(), _time);

        Assert.Equal(SealKind.Unreachable, (await Seal(_node).OpenAsync(TicketSection.Journal, _session, Sealed(Seal(stranger)), default)).Kind);
    }

    /// <summary>The storage was asked, which may have a key that the ring in use does not have yet: with keys in a directory a session would have been thrown away that the node could read a moment later.</summary>
    [Fact]
    public async Task What_the_ring_in_use_has_no_key_for_is_out_of_reach_whatever_the_storage_has()
    {
        var seal = ActivatorUtilities.CreateInstance<TicketSeal>(_node.Services, new TicketScope("shop", []), new TicketOptions(), new OldRing());
        var changed = Sealed(seal);
        changed[^1] ^= 1;

        Assert.Equal(SealKind.Unreachable, (await seal.OpenAsync(TicketSection.Journal, _session, changed, default)).Kind);
    }

    [Theory]
    [InlineData(400, null)]
    [InlineData(3400, null)]
    [InlineData(4050, "__Host-a-rather-long-name-for-a-cookie")]
    [InlineData(4200, null)]
    [InlineData(16_000, null)]
    public void The_longest_that_it_takes_makes_a_cookie_of_just_the_size_that_is_allowed(int maxBytes, string? name)
    {
        var options = new TicketOptions { MaxBytes = maxBytes, CookieName = name };
        var length = Seal(_node, options: options).MaxLength;

        var text = Sample.Codec().Encode(Sample.Ticket() with { Content = new byte[length] }, Sample.Key());
        var cookies = TicketChunks.Spread(TicketCookie.NameOf(options), text);

        Assert.InRange(cookies.Sum(cookie => cookie.Key.Length + 1 + cookie.Value.Length), maxBytes - 3, maxBytes);
        Assert.Equal(maxBytes <= 4050, cookies.Count == 1);
    }

    [Fact]
    public async Task A_journal_is_not_opened_as_content_nor_content_as_a_journal()
    {
        var seal = Seal(_node);
        foreach (var (section, other) in new[] { (TicketSection.Journal, TicketSection.Content), (TicketSection.Content, TicketSection.Journal) })
        {
            Assert.True(seal.TrySeal(section, _session, [1, 2, 3], out var sealedBytes));
            Assert.Equal(SealKind.Opened, (await seal.OpenAsync(section, _session, sealedBytes, default)).Kind);
            Assert.Equal(SealKind.Damaged, (await seal.OpenAsync(other, _session, sealedBytes, default)).Kind);
        }
    }

    private byte[] Sealed(TicketSeal seal)
    {
        Assert.True(seal.TrySeal(TicketSection.Journal, _session, [1, 2, 3], out var sealedBytes));
        return sealedBytes;
    }

    private static TicketSeal Seal(ProtectionNode node, string application = "shop", TicketOptions? options = null) =>
        ActivatorUtilities.CreateInstance<TicketSeal>(node.Services, new TicketScope(application, []), options ?? new TicketOptions());

    /// <summary>A ring that was read before there was any key.</summary>
    private sealed class OldRing : IKeyRingProvider, IKeyRing
    {
        public IAuthenticatedEncryptor? DefaultAuthenticatedEncryptor => null;

        public Guid DefaultKeyId => Guid.Empty;

        public IKeyRing GetCurrentKeyRing() => this;

        public IAuthenticatedEncryptor? GetAuthenticatedEncryptorByKeyId(Guid keyId, out bool isRevoked)
        {
            isRevoked = false;
            return null;
        }
    }
}
