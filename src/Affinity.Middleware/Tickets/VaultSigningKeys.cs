using System.Diagnostics.CodeAnalysis;
using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// Signing keys that the nodes share through the key vault, for an app without <c>Affinity:Secrets</c>. Known keys stay in use while the vault is away.
/// </summary>
internal sealed class VaultSigningKeys : ISigningKeys
{
    /// <summary>The ring's name in the vault.</summary>
    public const string RingName = "Signing";

    /// <summary>Unknown ids make this node read the vault at most once in this time.</summary>
    public static readonly TimeSpan LookUpGap = TimeSpan.FromSeconds(1);

    private readonly VaultRing _ring;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MissingKeys<SigningKeyId> _missing = new();
    private volatile Known _known = new([], SigningRing.Of([]));

    public VaultSigningKeys(VaultRing ring, TimeProvider time, ILogger logger) => (_ring, _time, _logger) = (ring, time, logger);

    public SigningKey? Current => Keys.Signer(_time.GetUtcNow());

    private SigningRing Keys
    {
        get
        {
            // The ring hands out the same instance until it has grown.
            var (elements, known) = (_ring.Elements, _known);
            if (!ReferenceEquals(known.Elements, elements))
            {
                _known = known = new Known(elements, SigningRing.Of(elements));
            }

            return known.Keys;
        }
    }

    public bool TryFind(SigningKeyId id, [NotNullWhen(true)] out SigningKey? key) =>
        Keys.TryFind(id, _time.GetUtcNow(), out key) && key is not null;

    /// <summary>The key of this id as it lies in the vault, whether it verifies or not; null when this node does not know it.</summary>
    public RingKey? FindInRing(SigningKeyId id) => Keys.Find(id);

    public async ValueTask<KeyLookup> LookUpAsync(SigningKeyId id, CancellationToken cancellationToken)
    {
        if (Answer(id) is { } known)
        {
            return known;
        }

        if (_missing.Contains(id))
        {
            return KeyLookup.Unknown;
        }

        if (!await _ring.CatchUpAsync(LookUpGap, cancellationToken))
        {
            return KeyLookup.Unreachable;
        }

        if (Answer(id) is { } fetched)
        {
            return fetched;
        }

        if (!Keys.IsSettled(_time.GetUtcNow()))
        {
            return KeyLookup.Unreachable;
        }

        _missing.Add(id);
        return KeyLookup.Unknown;
    }

    /// <summary>
    /// Reads the ring, puts back what the vault has lost, and adds a key when it is time. Of nodes that do so together one adds and the others take its key.
    /// Faults are logged, not thrown: the next round tries again, and until then known keys do.
    /// </summary>
    public async Task MaintainAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!await _ring.RefreshAsync(cancellationToken))
            {
                return;
            }

            // Twice at most: a first key that lost its race, and then, in a ring that others began long ago, a successor.
            for (var tries = 0; tries < 2 && Keys.NeedsNew(_time.GetUtcNow()); tries++)
            {
                await AddAsync(cancellationToken);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            _logger.SigningKeyNotAdded(exception);
        }
    }

    private KeyLookup? Answer(SigningKeyId id)
    {
        if (!Keys.TryFind(id, _time.GetUtcNow(), out var key))
        {
            return null;
        }

        return key is null ? KeyLookup.Unknown : KeyLookup.Found(key);
    }

    private async Task AddAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var first = Keys.IsEmpty;
        var activates = first ? now : now + SigningRing.Propagation;
        var key = RingKey.Create(now, activates);
        var added = await _ring.AddAsync(
            key.ToElement(),
            held => first ? SigningRing.Of(held).IsEmpty : SigningRing.Of(held).NeedsNew(now),
            cancellationToken);
        if (added)
        {
            var id = key.Key.Id.ToString();
            _logger.SigningKeyAdded(id, activates);
        }
    }

    private sealed record Known(IReadOnlyList<string> Elements, SigningRing Keys);
}
