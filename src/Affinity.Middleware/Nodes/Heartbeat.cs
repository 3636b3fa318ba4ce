using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Affinity.Nodes;

/// <summary>
/// One word with the directory: tells that this node lives, learns who else does, and says so once when that changes. Calls queue up, each is bounded, none throws
/// because of the directory.
/// </summary>
internal sealed class Heartbeat(INodeDirectory directory, NodeMembership node, NodeOptions options, DrainOptions drain, TimeProvider time, AffinityMetrics metrics, ILogger<Heartbeat> logger) : IDisposable
{
    private enum Contact
    {
        None,
        Joined,
        NameTaken,
        Away,
    }

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private Contact _contact;
    private DateTimeOffset _awaySince;
    private string? _history;

    /// <summary>Beats once.</summary>
    /// <exception cref="OperationCanceledException">The caller's token ended it.</exception>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            using var limit = new CancellationTokenSource(options.CallLimit, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            node.Bound.Sweep();
            Learn(await directory.BeatAsync(node.ToRecord(), options.DeadAfter, either.Token));
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            // Also what breaks the directory's contract: a heart that stops for a bug would take a working node off.
            Miss(fault);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Takes the node off the directory, so that its name is free at once and nobody is sent here. A fault only costs the others the wait until it counts as dead.</summary>
    public async Task LeaveAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(options.CallLimit, time);
            await directory.LeaveAsync(node.Self, node.Incarnation, limit.Token);
        }
        catch (Exception fault)
        {
            logger.NodeNotTakenOff(fault, node.Self.Value, options.DeadAfter);
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private void Learn(NodeBeat beat)
    {
        metrics.Beat(beat.Accepted ? "accepted" : "name_taken");
        var before = _contact;
        _contact = beat.Accepted ? Contact.Joined : Contact.NameTaken;
        if (before == Contact.Away)
        {
            var away = time.GetUtcNow() - _awaySince;
            logger.NodeDirectoryRestored(away);
        }

        if (beat.Accepted)
        {
            Follow(beat.Wish);
            var joinsNow = !node.HasJoined;
            var drift = node.Drift;
            node.Joined(beat.Live);
            Doubt(beat, joinsNow);
            if (joinsNow)
            {
                logger.NodeJoined(node.Self.Value, beat.Live.Count);
            }

            if (!ReferenceEquals(drift, node.Drift))
            {
                TellDrift();
            }
        }
        else
        {
            node.NameTaken(beat.Live);
            if (before != Contact.NameTaken)
            {
                logger.NodeNameTaken(node.Self.Value, options.DeadAfter);
            }
        }
    }

    /// <summary>A store that has lost its data, or a part of it, shows so at this node's own record or by its history. A node that was frozen for longer than it may be sees the same.</summary>
    private void Doubt(NodeBeat beat, bool joinsNow)
    {
        var history = _history;
        _history = beat.History ?? history;
        if (!joinsNow && !beat.Renewed)
        {
            node.Forgotten();
            node.TellStoreMayHaveLost("it no longer had this node's record");
        }
        else if (history is not null && beat.History is not null && !string.Equals(history, beat.History, StringComparison.Ordinal))
        {
            node.TellStoreMayHaveLost("it failed over or began anew");
        }
    }

    /// <summary>Once per change, and not per beat.</summary>
    private void TellDrift()
    {
        if (node.Drift.Count == 0)
        {
            logger.NodeSettingsAgree();
        }
        else if (logger.IsEnabled(LogLevel.Warning))
        {
            logger.NodeSettingsDiffer(string.Join("; ", node.Drift));
        }
    }

    private void Follow(NodeWish? wish)
    {
        if (wish == NodeWish.Drain && node.BeginDrain(stops: false))
        {
            logger.DrainAsked(node.Self.Value, node.Bound.Count, drain.Notice);
        }
        else if (wish == NodeWish.Serve && node.EndDrain())
        {
            logger.DrainTakenBack(node.Self.Value);
        }
    }

    private void Miss(Exception fault)
    {
        metrics.Beat("away");
        if (_contact != Contact.Away)
        {
            _contact = Contact.Away;
            _awaySince = time.GetUtcNow();
            logger.NodeDirectoryLost(fault);
            node.DirectoryAway(_awaySince);
        }
    }
}
