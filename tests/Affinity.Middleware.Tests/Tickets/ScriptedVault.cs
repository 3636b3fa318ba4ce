using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

/// <summary>A key vault in memory that can go away and lose everything. Every call lets others in between, as a network does.</summary>
internal sealed class ScriptedVault : IKeyVault
{
    private readonly Lock _gate = new();
    private readonly List<string> _elements = [];

    public bool IsAway { get; set; }

    public int Reads { get; private set; }

    public IReadOnlyList<string> Elements
    {
        get
        {
            lock (_gate)
            {
                return [.. _elements];
            }
        }
    }

    public void Put(string element)
    {
        lock (_gate)
        {
            _elements.Add(element);
        }
    }

    public void Lose()
    {
        lock (_gate)
        {
            _elements.Clear();
        }
    }

    public async ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken)
    {
        await AnswerAsync(ring);
        lock (_gate)
        {
            Reads++;
            return [.. _elements];
        }
    }

    public async ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken)
    {
        await AnswerAsync(ring);
        lock (_gate)
        {
            if (_elements.Count != seen)
            {
                return false;
            }

            _elements.Add(element);
            return true;
        }
    }

    private async Task AnswerAsync(string ring)
    {
        Assert.Equal(VaultSigningKeys.RingName, ring);
        await Task.Yield();
        if (IsAway)
        {
            throw new KeyVaultException("The vault is away.");
        }
    }
}
