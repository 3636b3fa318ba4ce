namespace Affinity.Sessions;

/// <summary>How a session that rides in the visitor's ticket is protected there.</summary>
public enum ContentProtection
{
    /// <summary>
    /// Encrypted with the Data Protection keys, which every instance must share, under the ticket's signature. Nobody but the app reads it, the visitor included. The default.
    /// </summary>
    SignAndEncrypt,

    /// <summary>Signed only: whoever holds the cookie, the visitor first of all, can read it, and nobody can change it. Needs no Data Protection keys.</summary>
    Sign,
}

/// <summary>What is known of sessions in cookies beside the cookies themselves.</summary>
public enum ReplayFloor
{
    /// <summary>
    /// Nothing, and no store is asked: whoever has copied a cookie can use it until its idle time ends, also after the visitor has changed the session or signed out. The default.
    /// </summary>
    None,

    /// <summary>The shared store keeps the version of each session, without its content: a ticket older than that is refused, and a session that was ended stays ended. A save costs one store trip.</summary>
    Store,
}

/// <summary>Sessions that ride in the visitor's ticket: section <c>Affinity:Sessions:Cookie</c>. Counts with <c>Affinity:Sessions:Carrier</c> = <c>Cookie</c>.</summary>
public sealed class CookieSessionsOptions
{
    /// <summary>How the content is protected. A node takes what is protected at least as well as it is told here.</summary>
    public ContentProtection Protection { get; set; } = ContentProtection.SignAndEncrypt;

    /// <summary>Whether the content is compressed (Deflate). Off by default, and only with <see cref="ContentProtection.Sign"/>: the length of what is compressed and then encrypted tells its content.</summary>
    public bool Compress { get; set; }

    /// <summary>Whether a copied cookie is found out.</summary>
    public ReplayFloor Floor { get; set; } = ReplayFloor.None;
}
