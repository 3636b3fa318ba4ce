using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Nodes;

/// <summary>Keeps the names of the events that were logged, in order.</summary>
internal sealed class LogLines<T> : ILogger<T>
{
    private readonly List<(string Event, string Text)> _lines = [];

    public IReadOnlyList<string> Events
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines.Select(l => l.Event)];
            }
        }
    }

    public string TextOf(string name)
    {
        lock (_lines)
        {
            return Assert.Single(_lines, l => string.Equals(l.Event, name, StringComparison.Ordinal)).Text;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add((eventId.Name!, formatter(state, exception)));
        }
    }
}
