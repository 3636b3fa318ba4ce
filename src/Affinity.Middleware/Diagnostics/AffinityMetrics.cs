using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Affinity.Diagnostics;

/// <summary>Every instrument of Affinity, under the meter <c>Affinity</c>. Tags take few values; none names a visitor.</summary>
internal sealed class AffinityMetrics
{
    public const string MeterName = "Affinity";

    private readonly Counter<long> _ticketReads;
    private readonly Counter<long> _decisions;
    private readonly Counter<long> _sessionLoads;
    private readonly Counter<long> _sessionSaves;
    private readonly Counter<long> _saveConflicts;
    private readonly Counter<long> _losses;
    private readonly Counter<long> _heals;
    private readonly Counter<long> _journalReplays;
    private readonly Counter<long> _touchesDropped;
    private readonly Histogram<double> _storeCalls;
    private readonly Counter<long> _cacheReads;
    private readonly Counter<long> _beats;
    private readonly Counter<long> _replicaReads;
    private readonly Meter _meter;

    public AffinityMetrics(IMeterFactory factory)
    {
        var meter = _meter = factory.Create(MeterName);
        _ticketReads = meter.CreateCounter<long>("affinity.ticket.reads", "{ticket}", "Requests by what their ticket cookie proved.");
        _decisions = meter.CreateCounter<long>("affinity.stickiness.decisions", "{response}", "Responses by what was done with the visitor's binding, and why.");
        _sessionLoads = meter.CreateCounter<long>("affinity.session.loads", "{session}", "Sessions asked of the store, by what was found.");
        _sessionSaves = meter.CreateCounter<long>("affinity.session.saves", "{session}", "Sessions saved, by outcome.");
        _saveConflicts = meter.CreateCounter<long>("affinity.session.save.conflicts", "{conflict}", "Writes that met a newer version and were merged.");
        _losses = meter.CreateCounter<long>("affinity.session.losses", "{session}", "Sessions of which the store had lost what a visitor had been answered, and no node that was asked remembered it.");
        _heals = meter.CreateCounter<long>("affinity.session.heals", "{session}", "Sessions that the store had lost, or an older state of which it had, by whether this node could give them back.");
        _journalReplays = meter.CreateCounter<long>("affinity.session.journal.replays", "{journal}", "Journals out of tickets that the store was told of, by outcome.");
        _touchesDropped = meter.CreateCounter<long>("affinity.session.touches.dropped", "{touch}", "Slides of the idle time left out because the queue was full or the store away.");
        _storeCalls = meter.CreateHistogram<double>("affinity.store.call.duration", "s", "Session store calls, tries and pauses included.");
        _cacheReads = meter.CreateCounter<long>("affinity.cache.reads", "{read}", "Reads of sessions with a cache in front of the database, by who answered.");
        _replicaReads = meter.CreateCounter<long>("affinity.replica.reads", "{read}", "Reads that a replica of the database may answer, by whether it did, or why the primary was asked.");
        _beats = meter.CreateCounter<long>("affinity.node.beats", "{beat}", "Heartbeats, by what the node directory made of them.");
    }

    /// <summary>Shows, whenever a reader asks, how many nodes live and how many requests this one is serving.</summary>
    public void ObserveNode(Func<int> live, Func<int> inFlight, Func<int> bound)
    {
        _meter.CreateObservableUpDownCounter("affinity.node.visitors.bound", bound, "{visitor}", "Visitors with a session who are bound to this node, as far as its requests have shown.");
        _meter.CreateObservableGauge("affinity.node.live", live, "{node}", "Live nodes in the directory, as this node last saw it.");
        _meter.CreateObservableUpDownCounter("affinity.node.requests.active", inFlight, "{request}", "Requests in flight on this node, health probes left out.");
    }

    /// <param name="outcome"><c>accepted name_taken away</c>.</param>
    public void Beat(string outcome) => _beats.Add(1, new KeyValuePair<string, object?>("affinity.outcome", outcome));

    /// <param name="result"><c>valid</c>, or the reason why not. Requests without a ticket are not counted.</param>
    public void TicketRead(string result) => _ticketReads.Add(1, new KeyValuePair<string, object?>("affinity.ticket.result", result));

    /// <param name="decision"><c>keep assign reassign release refuse</c>.</param>
    /// <param name="reason">Why: the words are in docs/stickiness.md.</param>
    public void StickinessDecided(string decision, string reason) =>
        _decisions.Add(1, new KeyValuePair<string, object?>("affinity.stickiness.decision", decision), new KeyValuePair<string, object?>("affinity.stickiness.reason", reason));

    /// <param name="outcome"><c>near found absent ended lost behind diverged superseded unreadable unreachable adopted framework_unreadable framework_too_large</c>.</param>
    public void SessionLoaded(string outcome) => _sessionLoads.Add(1, new KeyValuePair<string, object?>("affinity.session.outcome", outcome));

    /// <param name="outcome"><c>written journaled ended superseded lost lost_writes too_large journal_full failed</c>.</param>
    public void SessionSaved(string outcome) => _sessionSaves.Add(1, new KeyValuePair<string, object?>("affinity.session.outcome", outcome));

    /// <param name="loss"><c>lost behind diverged</c>.</param>
    public void SessionLost(string loss) => _losses.Add(1, new KeyValuePair<string, object?>("affinity.session.loss", loss));

    /// <param name="outcome"><c>written refused failed</c>.</param>
    public void SessionHealed(string outcome) => _heals.Add(1, new KeyValuePair<string, object?>("affinity.session.outcome", outcome));

    public void SaveConflict() => _saveConflicts.Add(1);

    /// <param name="outcome"><c>replayed lost ended expired superseded away unopened damaged</c>.</param>
    public void JournalReplayed(string outcome) => _journalReplays.Add(1, new KeyValuePair<string, object?>("affinity.session.outcome", outcome));

    public void TouchDropped() => _touchesDropped.Add(1);

    /// <param name="outcome"><c>replica older absent lagging failed</c>.</param>
    public void ReplicaRead(string outcome) => _replicaReads.Add(1, new KeyValuePair<string, object?>("affinity.outcome", outcome));

    /// <summary>Shows, whenever a reader asks, how far each replica may be behind, with its number of the settings.</summary>
    public void ObserveReplicas(Func<IEnumerable<(int Number, TimeSpan Lag)>> lags) => _meter.CreateObservableGauge(
        "affinity.replica.lag",
        () => lags().Select(static lag => new Measurement<double>(lag.Lag.TotalSeconds, new KeyValuePair<string, object?>("affinity.replica", lag.Number))),
        "s",
        "How far behind the primary a replica of the database may be, as this node last knew it.");

    /// <param name="operation"><c>read confirm write touch delete</c>.</param>
    /// <param name="outcome"><c>ok not_applied ambiguous unreadable</c>.</param>
    /// <param name="duration">From the call to its answer.</param>
    public void StoreCalled(string operation, string outcome, TimeSpan duration) =>
        _storeCalls.Record(duration.TotalSeconds, new TagList { { "affinity.store.operation", operation }, { "affinity.outcome", outcome } });

    /// <param name="source"><c>cache database outage</c>.</param>
    public void CacheRead(string source) => _cacheReads.Add(1, new KeyValuePair<string, object?>("affinity.cache.source", source));
}
