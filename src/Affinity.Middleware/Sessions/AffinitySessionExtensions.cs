using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Affinity.Sessions;

namespace Microsoft.AspNetCore.Http;

/// <summary>Typed values and the life of an Affinity session, on the framework's <see cref="ISession"/>. Values are stored as JSON (UTF-8).</summary>
public static class AffinitySessionExtensions
{
    /// <summary>Reads a value; <c>default</c> when there is none.</summary>
    /// <exception cref="JsonException">What is stored is not a <typeparamref name="T"/>.</exception>
    /// <exception cref="SessionUnavailableException">The session is out of reach.</exception>
    public static T? Get<T>(this ISession session, string key) =>
        Bytes(session, key) is { } json ? JsonSerializer.Deserialize<T>(json) : default;

    /// <summary>Reads a value with source-generated metadata; <c>default</c> when there is none.</summary>
    /// <exception cref="JsonException">What is stored is not a <typeparamref name="T"/>.</exception>
    /// <exception cref="SessionUnavailableException">The session is out of reach.</exception>
    public static T? Get<T>(this ISession session, string key, JsonTypeInfo<T> type) =>
        Bytes(session, key) is { } json ? JsonSerializer.Deserialize(json, type) : default;

    /// <summary>Sets a value; null removes it.</summary>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public static void Set<T>(this ISession session, string key, T? value) => SetBytes(session, key, Serialize(value, type: null));

    /// <summary>Sets a value with source-generated metadata; null removes it.</summary>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public static void Set<T>(this ISession session, string key, T? value, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        SetBytes(session, key, Serialize(value, type));
    }

    /// <summary>
    /// Changes a value by a function, without losing what parallel requests change: when another request saved first, the function is run again on the newest value.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="key">Which value.</param>
    /// <param name="change">From the old value (<c>default</c> for none) to the new one (null removes it). Must be pure: it may run several times.</param>
    /// <returns>The new value as this request sees it. What was saved in the end is there after <see cref="ISession.CommitAsync"/>.</returns>
    /// <exception cref="InvalidOperationException">The response has started, or the session has not been loaded.</exception>
    public static T? Update<T>(this ISession session, string key, Func<T?, T?> change) => UpdateValue(session, key, change, type: null);

    /// <inheritdoc cref="Update{T}(ISession, string, Func{T, T})"/>
    public static T? Update<T>(this ISession session, string key, Func<T?, T?> change, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return UpdateValue(session, key, change, type);
    }

    /// <summary>
    /// Makes every ticket of this session that was issued before refused from the next save on, and keeps the content. Done by itself when authentication signs the visitor in;
    /// call it wherever else the visitor's rights change.
    /// </summary>
    /// <exception cref="SessionUnavailableException">The session is out of reach.</exception>
    public static Task RegenerateAsync(this ISession session, CancellationToken cancellationToken = default) =>
        Ours(session).RegenerateAsync(cancellationToken);

    /// <summary>Ends the session at once, everywhere, and removes the visitor's ticket. Done by itself when authentication signs the visitor out.</summary>
    /// <exception cref="SessionUnavailableException">The store is away; the session may still be there.</exception>
    public static Task AbandonAsync(this ISession session, CancellationToken cancellationToken = default) =>
        Ours(session).AbandonAsync(cancellationToken);

    private static T? UpdateValue<T>(ISession session, string key, Func<T?, T?> change, JsonTypeInfo<T>? type)
    {
        ArgumentNullException.ThrowIfNull(change);
        var bytes = Ours(session).Update(key, old => Serialize(change(Deserialize(old, type)), type));
        return Deserialize(bytes, type);
    }

    private static T? Deserialize<T>(byte[]? json, JsonTypeInfo<T>? type) => json is null ? default
        : type is null ? JsonSerializer.Deserialize<T>(json)
        : JsonSerializer.Deserialize(json, type);

    private static byte[]? Serialize<T>(T? value, JsonTypeInfo<T>? type) => value is null ? null
        : type is null ? JsonSerializer.SerializeToUtf8Bytes(value)
        : JsonSerializer.SerializeToUtf8Bytes(value, type);

    private static byte[]? Bytes(ISession session, string key)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session is AffinitySession ours ? ours.Peek(key) : session.TryGetValue(key, out var value) ? value : null;
    }

    private static void SetBytes(ISession session, string key, byte[]? json)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (json is null)
        {
            session.Remove(key);
        }
        else
        {
            session.Set(key, json);
        }
    }

    private static AffinitySession Ours(ISession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session as AffinitySession ?? throw new InvalidOperationException(
            "This session is not Affinity's. Remove AddSession/UseSession, or whatever else replaced HttpContext.Session, so that builder.AddAffinity() provides it.");
    }
}
