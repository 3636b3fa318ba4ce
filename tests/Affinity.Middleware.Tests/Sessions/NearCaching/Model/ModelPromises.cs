using Affinity.Sessions;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>What holds of every session that is served to a request.</summary>
internal static class ModelPromises
{
    public static void Check(ModelRequest request, SessionSnapshot served, ModelTruth truth)
    {
        var (ticket, state) = (request.Ticket!, truth.IndexOf(served.Version));
        ModelWorld.Hold(state >= 0 && truth.States[state].Generation == served.Generation, "What was served never was in the store.");
        ModelWorld.Hold(ModelWorld.Same(truth.States[state].Content, served.Items), "What was served is not what was saved.");
        ModelWorld.Hold(state >= truth.IndexOf(ticket.Version), "Monotonic reads: a browser was served less than it had seen.");
        ModelWorld.Hold(served.Generation == ticket.Generation, "A ticket of another generation opened the session.");
        ModelWorld.Hold(state >= request.Floor, "Monotonic reads: a node served less than it had served before.");
        ModelWorld.Hold(
            request.Browser.Own is not { } own || own.Session != ticket.Session || served.Items.TryGetValue("own", out var value) && BitConverter.ToInt32(value) >= own.Value,
            "Read your writes: what the browser was told to be saved is not there.");
        CheckAge(request, served, truth, state);
        CheckEnding(request, served, truth);
    }

    private static void CheckAge(ModelRequest request, SessionSnapshot served, ModelTruth truth, int state)
    {
        ModelWorld.Hold(state + 1 == truth.States.Count || WithinMaxAge(request, truth.States[state + 1].At), "A node served what had been overwritten for longer than a memory may be old.");
        var renewal = truth.States.FindIndex(one => one.Generation > served.Generation);
        ModelWorld.Hold(renewal < 0 || WithinMaxAge(request, truth.States[renewal].At), "A ticket from before a renewal was served beyond the age of a memory.");
        ModelWorld.Hold(served.Generation >= request.RefusedBelow, "A node served what it had been told to refuse.");
    }

    private static void CheckEnding(ModelRequest request, SessionSnapshot served, ModelTruth truth)
    {
        ModelWorld.Hold(truth.EndedAt is not { } ended || WithinMaxAge(request, ended), "A session that was ended was served beyond the age of a memory.");
        ModelWorld.Hold(!request.WasOver || truth.EndedAt is not null, "A session was served after its time had run out.");
        ModelWorld.Hold(served.IdleUntil <= truth.IdleUntil || truth.EndedAt is not null, "A node takes a session to live longer than it does.");
    }

    private static bool WithinMaxAge(ModelRequest request, DateTimeOffset since) => request.Began - since < NearSample.MaxAge;
}
