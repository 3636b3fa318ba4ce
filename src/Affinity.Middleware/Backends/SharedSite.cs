using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends;

/// <summary>Everything that the nodes share, at one place.</summary>
internal sealed record SharedSite(ISessionStore Sessions, ISessionAnnouncements? Announcements, INodeDirectory Nodes, IKeyVault Keys);
