using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Tickets;

/// <summary>Keeps every line that was logged.</summary>
internal sealed class LogLines : ILogger, ILoggerProvider
{
    private readonly ConcurrentQueue<(string? Event, string Text)> _lines = new();

    public IReadOnlyList<string> Texts => [.. _lines.Select(line => line.Text)];

    public int Count(string eventName) => _lines.Count(line => string.Equals(line.Event, eventName, StringComparison.Ordinal));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Name, formatter(state, exception)));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }
}
