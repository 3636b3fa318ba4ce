using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests;

/// <summary>Keeps every line that is logged, of whatever category. Safe for concurrent use.</summary>
internal sealed class LogLines : KeptLines, ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }
}

/// <summary>Keeps what one class logs.</summary>
internal sealed class LogLines<T> : KeptLines, ILogger<T>;

internal abstract class KeptLines : ILogger
{
    public ConcurrentQueue<(LogLevel Level, EventId Event, string Message)> Entries { get; } = [];

    /// <summary>The names of the events, in order.</summary>
    public IReadOnlyList<string> Events => [.. Entries.Select(entry => entry.Event.Name ?? "")];

    public IReadOnlyList<string> Texts => [.. Entries.Select(entry => entry.Message)];

    /// <summary>What an operator is to see.</summary>
    public IReadOnlyList<string> Warnings => [.. Entries.Where(entry => entry.Level >= LogLevel.Warning).Select(entry => entry.Message)];

    public int Count(string name) => Entries.Count(entry => string.Equals(entry.Event.Name, name, StringComparison.Ordinal));

    /// <summary>The text of the one line of this event.</summary>
    public string TextOf(string name) => Assert.Single(Entries, entry => string.Equals(entry.Event.Name, name, StringComparison.Ordinal)).Message;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Entries.Enqueue((logLevel, eventId, formatter(state, exception)));
}
