using Affinity.Tickets;

namespace Affinity.Tests.Tickets;

/// <summary>Keys that a test hands out: those in the list verify, the last one signs, the vault answers what the test says.</summary>
internal sealed class FixedKeys(params SigningKey[] keys) : ISigningKeys
{
    private readonly List<SigningKey> _keys = [.. keys];

    public KeyLookup LookUp { get; set; } = KeyLookup.Unknown;

    public int LookUps { get; private set; }

    /// <summary>Every look-up waits for it.</summary>
    public Task Turn { get; set; } = Task.CompletedTask;

    public SigningKey? Current => _keys.LastOrDefault();

    public void Add(SigningKey key) => _keys.Add(key);

    public bool TryFind(SigningKeyId id, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SigningKey? key)
    {
        key = _keys.Find(candidate => candidate.Id == id);
        return key is not null;
    }

    public async ValueTask<KeyLookup> LookUpAsync(SigningKeyId id, CancellationToken cancellationToken)
    {
        LookUps++;
        await Task.Yield();
        await Turn;
        if (LookUp.Key is { } found)
        {
            Add(found);
        }

        return LookUp;
    }
}
