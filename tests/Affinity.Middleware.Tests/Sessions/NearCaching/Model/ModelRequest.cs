using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>A browser with one jar; the first of a world sends its requests one after another.</summary>
internal sealed class ModelBrowser
{
    public Ticket? Jar { get; set; }

    public bool Waits { get; set; }

    /// <summary>What it was last told to have been saved under the key that nobody else writes, and in which session.</summary>
    public (SessionId Session, int Value)? Own { get; set; }
}

/// <summary>One request on its way, and its answer.</summary>
internal sealed class ModelRequest(int number, ModelBrowser browser, ModelNode node, ModelAct act, Ticket? ticket)
{
    public ModelBrowser Browser { get; } = browser;

    public ModelNode Node { get; } = node;

    public ModelAct Act { get; } = act;

    /// <summary>What the browser sent.</summary>
    public Ticket? Ticket { get; } = ticket;

    public int Number { get; } = number;

    public DateTimeOffset Began { get; init; }

    /// <summary>Whether the session was over before this request was sent.</summary>
    public bool WasOver { get; init; }

    /// <summary>The generation below which the node had been told, before this request came, that nothing counts.</summary>
    public int RefusedBelow { get; init; }

    /// <summary>The latest state that this node had served, or saved, before this request came.</summary>
    public int Floor { get; init; }

    public Task<SessionLoadResult>? Loading { get; set; }

    public Task? Working { get; set; }

    public bool IsRunning { get; set; }

    public bool IsAnswered { get; set; }

    /// <summary>What it works on; null: it has no session.</summary>
    public SessionSnapshot? Snapshot { get; set; }

    public bool MustNotBegin { get; set; }

    public SessionId Session { get; set; }

    public int Applied { get; set; }

    public SessionSnapshot? Saved { get; set; }

    public Ticket? SetCookie { get; set; }

    public bool RemovesCookie { get; set; }

    private string Key => Act == ModelAct.SetOwn ? "own" : "k" + (Number % 5);

    public SessionDelta ToDelta()
    {
        var delta = new SessionDelta { RaisesGeneration = Act == ModelAct.Renew };
        if (Act is ModelAct.Set or ModelAct.SetOwn)
        {
            delta.Set(Key, BitConverter.GetBytes(Number));
        }
        else if (Act == ModelAct.Increment)
        {
            delta.Update("n", Snapshot?.Items.GetValueOrDefault("n"), old => BitConverter.GetBytes((old is null ? 0 : BitConverter.ToInt32(old)) + 1));
        }

        return delta;
    }

    /// <summary>The same, computed apart from the code under test.</summary>
    public Dictionary<string, int> ApplyTo(Dictionary<string, int> content)
    {
        var after = new Dictionary<string, int>(content, StringComparer.Ordinal);
        if (Act is ModelAct.Set or ModelAct.SetOwn)
        {
            after[Key] = Number;
        }
        else if (Act == ModelAct.Increment)
        {
            after["n"] = after.GetValueOrDefault("n") + 1;
        }

        return after;
    }
}
