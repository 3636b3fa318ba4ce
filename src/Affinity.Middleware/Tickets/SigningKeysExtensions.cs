namespace Affinity.Tickets;

/// <summary>Asks about more than one key.</summary>
internal static class SigningKeysExtensions
{
    /// <summary>
    /// Asks about the keys that a request's cookies name and this node does not know; a key that is found is known from then on. Answers those that nobody
    /// could be asked about, which says nothing about the cookies.
    /// </summary>
    public static async Task<IReadOnlyList<SigningKeyId>> LookUpAllAsync(
        this ISigningKeys keys, IReadOnlyList<SigningKeyId> ids, CancellationToken cancellationToken)
    {
        // All are asked before the first is awaited, so that they share one wait.
        var lookUps = new Task<KeyLookup>[ids.Count];
        for (var i = 0; i < lookUps.Length; i++)
        {
            lookUps[i] = keys.LookUpAsync(ids[i], cancellationToken).AsTask();
        }

        var unreachable = new List<SigningKeyId>();
        for (var i = 0; i < lookUps.Length; i++)
        {
            if ((await lookUps[i]).Kind == KeyLookupKind.Unreachable)
            {
                unreachable.Add(ids[i]);
            }
        }

        return unreachable;
    }
}
