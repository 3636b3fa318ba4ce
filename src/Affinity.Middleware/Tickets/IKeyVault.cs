namespace Affinity.Tickets;

/// <summary>
/// Where the nodes keep the keys that they share: named rings, each a list of opaque texts that only grows.
/// A backend implements it; <c>KeyVaultConformance</c> in the test kit is its executable specification.
/// All members may be called concurrently and from any node.
/// </summary>
/// <remarks>
/// A ring has no expiry. An unknown ring is empty. Every fault is a <see cref="KeyVaultException"/>; the token ends a call at once,
/// whether or not the backend has answered, and then it is not known whether an append took place: read to learn.
/// </remarks>
public interface IKeyVault
{
    /// <summary>Reads a whole ring, oldest element first, in one round trip.</summary>
    ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken);

    /// <summary>
    /// Appends one element, if the ring still holds exactly as many elements as the caller has seen. Check and append are one atomic step,
    /// so nodes that start together on an empty ring agree on one first element.
    /// </summary>
    /// <param name="ring">1 to 100 characters.</param>
    /// <param name="element">Not empty; at most 64 KiB of UTF-8.</param>
    /// <param name="seen">How many elements the caller's last read showed; zero or more.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False, and nothing was written, when the ring has another length: read again.</returns>
    ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken);
}
