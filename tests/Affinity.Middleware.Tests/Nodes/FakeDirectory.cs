using System.Threading.Channels;
using Affinity.Nodes;

namespace Affinity.Tests.Nodes;

/// <summary>A node directory whose answers a test decides, one beat at a time.</summary>
internal sealed class FakeDirectory : INodeDirectory
{
    private readonly Channel<NodeRecord> _beats = Channel.CreateUnbounded<NodeRecord>();
    private readonly List<NodeRecord> _seen = [];

    /// <summary>The answer to a beat; accepted and alone by default. May throw.</summary>
    public Func<NodeRecord, NodeBeat> Answer { get; set; } = Accept;

    /// <summary>While true a call ends only with its token, as with a server that has stopped.</summary>
    public bool Hangs { get; set; }

    public IReadOnlyList<NodeRecord> Seen
    {
        get
        {
            lock (_seen)
            {
                return [.. _seen];
            }
        }
    }

    /// <summary>The answer to a wish; taken by default. May throw.</summary>
    public Func<NodeId, NodeWish, bool> AnswerToWish { get; set; } = (_, _) => true;

    public List<(NodeId Id, Guid Incarnation)> Left { get; } = [];

    public static NodeBeat Accept(NodeRecord self) => new(Accepted: true, [self]);

    public static NodeBeat AcceptWithPeer(NodeRecord self) => new(Accepted: true, [self, Peer("node-z")]);

    public static NodeBeat Refuse(NodeRecord self) => new(Accepted: false, [new NodeRecord(self.Id, Guid.NewGuid(), NodeState.Active, 0)]);

    public static NodeBeat Away(NodeRecord self) => throw new NodeDirectoryException("It is away.");

    public static NodeRecord Peer(string id) => new(NodeId.Parse(id), Guid.NewGuid(), NodeState.Active, 0);

    public async ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        lock (_seen)
        {
            _seen.Add(self);
        }

        _beats.Writer.TryWrite(self);
        await HangAsync(cancellationToken);
        return Answer(self);
    }

    public async ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken)
    {
        await HangAsync(cancellationToken);
        Left.Add((id, incarnation));
    }

    public async ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken)
    {
        await HangAsync(cancellationToken);
        return AnswerToWish(id, wish);
    }

    /// <summary>Waits for the next beat that nobody has waited for yet.</summary>
    public async Task<NodeRecord> NextBeatAsync() => await _beats.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

    private Task HangAsync(CancellationToken cancellationToken) =>
        Hangs ? Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken) : Task.CompletedTask;
}
