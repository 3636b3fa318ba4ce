using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends.Standby;

/// <summary>The node directory at whichever store all nodes use. A node that moves is new there, which makes it compare all that it remembers with the store.</summary>
internal sealed class SwitchingNodeDirectory(SharedSite first, SharedSite standby, StandbyState state, TimeProvider time) : INodeDirectory
{
    public async ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        var site = state.Decide().Home;
        var asked = time.GetTimestamp();
        var beat = await DirectoryOf(site).BeatAsync(self, deadAfter, cancellationToken);
        if (site == StandbySite.First)
        {
            state.FirstNodes(beat.Live, self.Id, asked);
        }

        return beat;
    }

    public ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken) => DirectoryOf(state.Decide().Home).LeaveAsync(id, incarnation, cancellationToken);

    public ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken) => DirectoryOf(state.Decide().Home).AskAsync(id, wish, cancellationToken);

    private INodeDirectory DirectoryOf(StandbySite site) => site == StandbySite.First ? first.Nodes : standby.Nodes;
}

/// <summary>The keys at whichever store all nodes use. What it lacks the nodes put back, as after any loss.</summary>
internal sealed class SwitchingKeyVault(SharedSite first, SharedSite standby, StandbyState state) : IKeyVault
{
    private IKeyVault Vault => state.Decide().Home == StandbySite.First ? first.Keys : standby.Keys;

    public ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken) => Vault.ReadAsync(ring, cancellationToken);

    public ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken) => Vault.AppendAsync(ring, element, seen, cancellationToken);
}

/// <summary>Announcements of both stores are heard; questions go to the one that all nodes use.</summary>
internal sealed class SwitchingSessionAnnouncements(SharedSite first, SharedSite standby, StandbyState state) : ISessionAnnouncements
{
    public void Listen(Action<SessionKey, int> stale)
    {
        first.Announcements?.Listen(stale);
        standby.Announcements?.Listen(stale);
    }

    public void ListenForWanted(Action<SessionKey> wanted)
    {
        first.Announcements?.ListenForWanted(wanted);
        standby.Announcements?.ListenForWanted(wanted);
    }

    public ValueTask<int?> AskAsync(SessionKey key, CancellationToken cancellationToken) =>
        (state.Decide().Home == StandbySite.First ? first.Announcements : standby.Announcements)?.AskAsync(key, cancellationToken) ?? ValueTask.FromResult<int?>(0);
}
