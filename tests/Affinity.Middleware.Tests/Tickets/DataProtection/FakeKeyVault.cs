using System.Collections.Concurrent;
using Affinity.Tickets;

namespace Affinity.Tests.Tickets;

/// <summary>A vault in memory whose calls a test can count, hold up, fail and have forget.</summary>
internal sealed class FakeKeyVault : IKeyVault
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, List<string>> _rings = new(StringComparer.Ordinal);

    public int Reads;
    public int Appends;

    /// <summary>While true every call fails.</summary>
    public bool Away { get; set; }

    /// <summary>Runs before the step of a read; may wait.</summary>
    public Func<CancellationToken, Task> BeforeRead { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before the step of an append; may wait, or write itself.</summary>
    public Func<CancellationToken, Task> BeforeAppend { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs after the step of an append.</summary>
    public Func<CancellationToken, Task> AfterAppend { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyList<string> Held(string ring)
    {
        lock (_gate)
        {
            return [.. _rings.GetOrAdd(ring, _ => [])];
        }
    }

    public void Put(string ring, params string[] elements)
    {
        lock (_gate)
        {
            _rings.GetOrAdd(ring, _ => []).AddRange(elements);
        }
    }

    public void Lose(string ring)
    {
        lock (_gate)
        {
            _rings.GetOrAdd(ring, _ => []).Clear();
        }
    }

    public async ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Reads);
        await BeforeRead(cancellationToken);
        ThrowIfAway();
        return Held(ring);
    }

    public async ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Appends);
        await BeforeAppend(cancellationToken);
        ThrowIfAway();
        lock (_gate)
        {
            var held = _rings.GetOrAdd(ring, _ => []);
            if (held.Count != seen)
            {
                return false;
            }

            held.Add(element);
        }

        await AfterAppend(cancellationToken);
        return true;
    }

    private void ThrowIfAway()
    {
        if (Away)
        {
            throw new KeyVaultException("The vault is away.");
        }
    }
}
