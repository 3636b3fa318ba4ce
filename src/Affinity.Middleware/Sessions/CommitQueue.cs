namespace Affinity.Sessions;

/// <summary>
/// Saves of one session on one node, one after another, so that they do not fight each other at the store. Who waited is handed the snapshot that the one before has
/// written, which spares the trip that would end in a conflict. Holds nothing for a session that nobody is saving.
/// </summary>
internal sealed class CommitQueue
{
    private readonly Dictionary<SessionKey, Line> _lines = [];

    /// <summary>Waits until it is this save's turn; dispose the turn to let the next one in.</summary>
    /// <exception cref="SessionStoreException">The token ended the wait; nothing was tried.</exception>
    public async ValueTask<Turn> EnterAsync(SessionKey key, CancellationToken cancellationToken)
    {
        Line? line;
        lock (_lines)
        {
            if (!_lines.TryGetValue(key, out line))
            {
                _lines[key] = line = new Line();
            }

            line.Users++;
        }

        try
        {
            await line.Gate.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException e)
        {
            var isContention = !line.FoundStoreAway;
            Leave(key, line);
            throw new SessionStoreException(SessionStoreFault.NotApplied, "The session was not saved: too many saves of it waited in line, for ten times Affinity:Sessions:StoreTimeout.", e) { IsContention = isContention };
        }

        return new Turn(this, key, line);
    }

    private void Leave(SessionKey key, Line line)
    {
        lock (_lines)
        {
            if (--line.Users == 0)
            {
                _lines.Remove(key);
                line.Gate.Dispose();
            }
        }
    }

    internal sealed class Line
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Users { get; set; }

        public SessionSnapshot? Latest { get; set; }

        public int Saved { get; set; }

        public TimeSpan Trip { get; set; }

        public bool FoundStoreAway { get; set; }
    }

    /// <summary>The right to save; one holder at a time per session.</summary>
    internal readonly struct Turn(CommitQueue queue, SessionKey key, Line line) : IDisposable
    {
        /// <summary>What the save before this one has left in the store; null when nobody was before.</summary>
        public SessionSnapshot? Latest => line.Latest;

        /// <summary>How many of this line have been before, one behind the other.</summary>
        public int Saved => line.Saved;

        /// <summary>How long the write of the one before took.</summary>
        public TimeSpan Trip => line.Trip;

        /// <summary>Leaves the saved session to whoever is next; null when nothing was saved.</summary>
        public void HandOver(SessionSnapshot? saved, TimeSpan trip) => (line.Latest, line.FoundStoreAway, line.Trip, line.Saved) = (saved, false, trip, line.Saved + 1);

        /// <summary>Whether the save before this one could not reach the store: whoever waited for it need not wait as long again.</summary>
        public bool FoundStoreAway => line.FoundStoreAway;

        /// <summary>Tells whoever is next.</summary>
        public void TellStoreAway() => line.FoundStoreAway = true;

        public void Dispose()
        {
            line.Gate.Release();
            queue.Leave(key, line);
        }
    }
}
