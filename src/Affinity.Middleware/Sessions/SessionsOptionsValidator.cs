using System.Buffers;

namespace Affinity.Sessions;

/// <summary>Every fault of <see cref="SessionsOptions"/>, with its cure.</summary>
internal static class SessionsOptionsValidator
{
    // RFC 6265, section 4.1.1: a cookie's name is a token of RFC 9110.
    private static readonly SearchValues<char> TokenLetters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(90);

    public static IEnumerable<string> Faults(SessionsOptions options)
    {
        if (!Enum.IsDefined(options.Carrier))
        {
            yield return "Affinity:Sessions:Carrier must be Store or Cookie.";
        }

        if (!Enum.IsDefined(options.Durability))
        {
            yield return "Affinity:Sessions:Durability must be Primary or Replicated.";
        }

        if (options is { Carrier: SessionCarrier.Cookie, Durability: SessionDurability.Replicated })
        {
            yield return "Affinity:Sessions:Durability is Replicated, but with Affinity:Sessions:Carrier = Cookie nothing but the visitor's cookie holds a session; leave it out.";
        }

        if (options is { Carrier: SessionCarrier.Cookie, ReadFrameworkSessions: true })
        {
            yield return "Affinity:Sessions:ReadFrameworkSessions is on, but with Affinity:Sessions:Carrier = Cookie no store remembers that a session was ended, and it would be taken over again: move to a store first, or leave it out.";
        }

        if (options.FrameworkCookieName is not { Length: > 0 and <= 64 } name || name.AsSpan().ContainsAnyExcept(TokenLetters))
        {
            yield return "Affinity:Sessions:FrameworkCookieName must be 1 to 64 characters of a cookie name; leave it out for .AspNetCore.Session.";
        }

        if (!Enum.IsDefined(options.Load))
        {
            yield return "Affinity:Sessions:Load must be BeforeApp or OnDemand.";
        }

        if (!Enum.IsDefined(options.OnLostWrite))
        {
            yield return "Affinity:Sessions:OnLostWrite must be Tell or Fail.";
        }

        if (!Enum.IsDefined(options.OnStoreAway))
        {
            yield return "Affinity:Sessions:OnStoreAway must be Journal, Fail or ReadOnly.";
        }

        if (options.AbsoluteTimeout < TimeSpan.FromSeconds(1) || options.AbsoluteTimeout > LongestLife)
        {
            yield return "Affinity:Sessions:AbsoluteTimeout must be from 1 second to 90 days (format d.hh:mm:ss).";
        }

        if (options.IdleTimeout < TimeSpan.FromSeconds(1) || options.IdleTimeout > options.AbsoluteTimeout)
        {
            yield return "Affinity:Sessions:IdleTimeout must be from 1 second to AbsoluteTimeout: shorten it, or raise AbsoluteTimeout.";
        }

        if (options.TouchAfter is not (>= 0.05 and <= 0.9))
        {
            yield return "Affinity:Sessions:TouchAfter must be from 0.05 to 0.9, a fraction of IdleTimeout.";
        }

        if (options.StoreTimeout < TimeSpan.FromMilliseconds(10) || options.StoreTimeout > TimeSpan.FromMinutes(1))
        {
            yield return "Affinity:Sessions:StoreTimeout must be from 10 milliseconds to 1 minute.";
        }

        if (options.MaxBytes is < 1024 or > 64 * 1024 * 1024)
        {
            yield return "Affinity:Sessions:MaxBytes must be from 1,024 to 67,108,864.";
        }

        if (options.MaxItems is < 1 or > 1_000_000)
        {
            yield return "Affinity:Sessions:MaxItems must be from 1 to 1,000,000.";
        }

        if (options.MaxKeyBytes is < 16 or > ushort.MaxValue)
        {
            yield return "Affinity:Sessions:MaxKeyBytes must be from 16 to 65,535.";
        }
    }
}
