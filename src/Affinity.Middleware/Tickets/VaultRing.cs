using System.Text;
using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// What this node knows of one ring of the key vault. It only grows: what was seen once stays, and what the vault has lost is put back by
/// every node that still knows it. Appends are conditional on what was read, so nodes that do this at the same time write each element once.
/// All members may be called concurrently.
/// </summary>
internal sealed class VaultRing(IKeyVault vault, string ring, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>How long a refresh may take, and each single call of an addition.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>How long an addition may take with all its lost races.</summary>
    private static readonly TimeSpan AddLimit = TimeSpan.FromSeconds(5);

    /// <summary>A lost race means that another node has made progress, so this many say that something else is wrong.</summary>
    private const int MaxTries = 200;

    /// <summary>What a vault takes; a longer element of somebody else is read, and left alone when it is lost.</summary>
    private const int MaxElementBytes = 64 * 1024;

    private readonly Lock _merging = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1);
    private volatile IReadOnlyList<string> _elements = [];
    private volatile bool _hasBeenRead;
    private volatile bool _away;

    // Order of events in this process: an answer serves everybody who asked before its read began.
    private long _events;
    private long _answered;
    private bool _answer;
    private long? _lastBegan;

    /// <summary>Raised after <see cref="Elements"/> has grown, on the thread that noticed; handlers are quick and do not throw.</summary>
    public event EventHandler? Changed;

    /// <summary>The ring's name in the vault.</summary>
    public string Name => ring;

    /// <summary>Every element ever seen, in order of first sight. An immutable snapshot: the same instance as long as nothing is added.</summary>
    public IReadOnlyList<string> Elements => _elements;

    /// <summary>Whether the vault has answered at least once.</summary>
    public bool HasBeenRead => _hasBeenRead;

    /// <summary>Whether the last call failed.</summary>
    public bool IsAway => _away;

    /// <summary>
    /// Reads the vault, takes in what is new and puts back what it has lost, within <see cref="Limit"/>. Concurrent callers share reads,
    /// but the answer is always of a read that began after the call.
    /// </summary>
    /// <returns>False when the vault is away; <see cref="Elements"/> then is what was known before.</returns>
    public ValueTask<bool> RefreshAsync(CancellationToken cancellationToken) =>
        InTurnAsync(TimeSpan.Zero, waitForGap: false, cancellationToken);

    /// <summary>
    /// Refreshes unless the last read began less than <paramref name="age"/> ago; never waits for that time to pass, but joins a read under way.
    /// </summary>
    /// <returns>Whether the last read was answered.</returns>
    public ValueTask<bool> RefreshIfOlderThanAsync(TimeSpan age, CancellationToken cancellationToken) =>
        InTurnAsync(age, waitForGap: false, cancellationToken);

    /// <summary>
    /// For an unknown key id: a read that begins after this call, at most one per <paramref name="gap"/> in this process whatever clients send, so the call may wait that long
    /// for its turn and shares it with all others that wait. An id that is unknown afterwards was not in the vault when it was met.
    /// </summary>
    /// <returns>False, at once, when the vault is away.</returns>
    public ValueTask<bool> CatchUpAsync(TimeSpan gap, CancellationToken cancellationToken) =>
        InTurnAsync(gap, waitForGap: true, cancellationToken);

    /// <summary>
    /// Adds one element. Reads the vault, puts back what it has lost, and appends only while <paramref name="stillWanted"/> says so of what the vault holds now;
    /// whenever another node was first, reads and asks again.
    /// </summary>
    /// <returns>Whether the vault holds the element; false when it was no longer wanted.</returns>
    /// <exception cref="KeyVaultException">The vault is away or too slow. It is not known whether the element went in; a later refresh tells.</exception>
    public async ValueTask<bool> AddAsync(string element, Func<IReadOnlyList<string>, bool> stillWanted, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(element);
        using var limit = new CancellationTokenSource(AddLimit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var seen = await ReadAsync(linked.Token);
            seen = await AppendAsync(
                seen,
                held => FirstLost(held) ?? (!held.Contains(element, StringComparer.Ordinal) && stillWanted(held) ? element : null),
                linked.Token);
            return seen.Contains(element, StringComparer.Ordinal);
        }
        catch (KeyVaultException exception)
        {
            Away(exception);
            throw;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            Away(exception);
            throw new KeyVaultException("The key vault was too slow to take a new element.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async ValueTask<bool> InTurnAsync(TimeSpan gap, bool waitForGap, CancellationToken cancellationToken)
    {
        var asked = Interlocked.Increment(ref _events);
        while (true)
        {
            TimeSpan rest;
            await _turn.WaitAsync(cancellationToken);
            try
            {
                if (_answered > asked)
                {
                    return _answer;
                }

                rest = _lastBegan is { } last ? gap - time.GetElapsedTime(last) : TimeSpan.Zero;
                if (rest <= TimeSpan.Zero)
                {
                    return await RefreshInTurnAsync(cancellationToken);
                }
            }
            finally
            {
                _turn.Release();
            }

            if (!waitForGap || _away)
            {
                return !_away;
            }

            // Not within the turn: a background refresh, or a thread that blocks, must not wait for this.
            await Task.Delay(rest, time, cancellationToken);
        }
    }

    private async Task<bool> RefreshInTurnAsync(CancellationToken cancellationToken)
    {
        var began = Interlocked.Increment(ref _events);
        _lastBegan = time.GetTimestamp();
        using var limit = new CancellationTokenSource(Limit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var seen = await ReadAsync(linked.Token);
            (_answered, _answer) = (began, true);
            await AppendAsync(seen, FirstLost, linked.Token);
        }
        catch (Exception exception) when (exception is KeyVaultException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Away(exception);
            if (_answered != began)
            {
                // Nobody who has waited for this waits for another that fails as well.
                (_answered, _answer) = (Interlocked.Increment(ref _events), false);
                return false;
            }
        }

        // What could not be put back in time is the next refresh's.
        return true;
    }

    private async Task<List<string>> ReadAsync(CancellationToken cancellationToken)
    {
        List<string> seen = [.. await WithinLimitAsync(token => vault.ReadAsync(ring, token), cancellationToken)];
        _hasBeenRead = true;
        if (_away)
        {
            _away = false;
            logger.KeyVaultBack(ring);
        }

        Merge(seen);
        return seen;
    }

    /// <summary>Appends what <paramref name="next"/> asks for until it asks for nothing more; answers what the vault holds then.</summary>
    private async Task<List<string>> AppendAsync(List<string> seen, Func<List<string>, string?> next, CancellationToken cancellationToken)
    {
        var putBack = 0;
        try
        {
            for (var tries = 0; tries < MaxTries; tries++)
            {
                if (next(seen) is not { } element)
                {
                    return seen;
                }

                if (!await WithinLimitAsync(token => vault.AppendAsync(ring, element, seen.Count, token), cancellationToken))
                {
                    seen = await ReadAsync(cancellationToken);
                    continue;
                }

                seen.Add(element);
                putBack += Merge([element]) ? 0 : 1;
            }
        }
        finally
        {
            if (putBack > 0)
            {
                logger.KeysPutBack(ring, putBack);
            }
        }

        throw new KeyVaultException($"The ring {ring} went on changing while this node tried to add to it.");
    }

    private async ValueTask<T> WithinLimitAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await call(linked.Token);
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KeyVaultException("The key vault did not answer in time.", exception);
        }
    }

    private void Away(Exception exception)
    {
        if (!_away)
        {
            _away = true;
            logger.KeyVaultAway(ring, _elements.Count, exception);
        }
    }

    private string? FirstLost(List<string> held)
    {
        var elements = _elements;
        var present = held.ToHashSet(StringComparer.Ordinal);
        return present.Count >= elements.Count && present.IsSupersetOf(elements)
            ? null
            : elements.FirstOrDefault(element => !present.Contains(element) && Encoding.UTF8.GetByteCount(element) <= MaxElementBytes);
    }

    private bool Merge(IReadOnlyList<string> seen)
    {
        lock (_merging)
        {
            var fresh = seen.Where(element => !string.IsNullOrEmpty(element) && _known.Add(element)).ToArray();
            if (fresh.Length == 0)
            {
                return false;
            }

            _elements = [.. _elements, .. fresh];
        }

        Changed?.Invoke(this, EventArgs.Empty);
        return true;
    }
}
