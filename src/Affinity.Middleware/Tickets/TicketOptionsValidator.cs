using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Affinity.Tickets;

/// <summary>Checks <see cref="TicketOptions"/>.</summary>
internal static class TicketOptionsValidator
{
    private const int MaxNameLength = 64;

    // A ticket alone with the longest name, and some room; what HAProxy takes in, and about half of what Kestrel does.
    private const int LeastBytes = 400;
    private const int MostBytes = 16_000;

    // RFC 6265, section 4.1.1: a cookie's name is a token of RFC 9110.
    private static readonly SearchValues<char> TokenLetters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // Browsers drop such a cookie unless it is Secure, and compare the prefix without case.
    private static readonly string[] SecurePrefixes = ["__Host-", "__Secure-", "__Http-"];

    /// <summary>Every fault, with its cure.</summary>
    public static IEnumerable<string> Faults(TicketOptions options)
    {
        if (options.CookieName is { } name)
        {
            if (name.Length is 0 or > MaxNameLength || name.AsSpan().ContainsAnyExcept(TokenLetters))
            {
                yield return $"Affinity:Ticket:CookieName must be 1 to {MaxNameLength} letters, digits or !#$%&'*+-.^_`|~ (a token of RFC 6265); "
                    + "leave it out for __Host-affinity";
            }

            if (options.InsecureAllowHttp && Array.Exists(SecurePrefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            {
                yield return "Affinity:Ticket:CookieName has a prefix that browsers only take over TLS, but InsecureAllowHttp is on; "
                    + "leave the name out, or turn InsecureAllowHttp off";
            }
        }

        if (options.SameSite is not (SameSiteMode.None or SameSiteMode.Lax or SameSiteMode.Strict))
        {
            yield return "Affinity:Ticket:SameSite must be Lax, Strict or None, as browsers disagree about a cookie without it; leave it out for Lax";
        }

        if (options.MaxBytes is < LeastBytes or > MostBytes)
        {
            yield return "Affinity:Ticket:MaxBytes must be from 400 to 16,000 characters, as balancers take no longer request; leave it out for 3,400";
        }

        if (options is { SameSite: SameSiteMode.None, InsecureAllowHttp: true })
        {
            yield return "Affinity:Ticket:SameSite is None, which browsers only take with Secure, but InsecureAllowHttp is on; "
                + "use Lax, or turn InsecureAllowHttp off";
        }
    }
}
