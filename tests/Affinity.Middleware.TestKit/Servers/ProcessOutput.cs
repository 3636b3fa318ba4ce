namespace Affinity.TestKit;

/// <summary>The last lines that a process has written to stdout and stderr, in the order of arrival. Safe for concurrent use.</summary>
public sealed class ProcessOutput
{
    private const int MaxLines = 1000;
    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();

    /// <summary>Whether a line contains <paramref name="text"/>, ordinally.</summary>
    public bool Contains(string text) => Lines().Any(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>At most the last 1,000 lines.</summary>
    public IReadOnlyList<string> Lines()
    {
        lock (_gate)
        {
            return [.. _lines];
        }
    }

    /// <summary>Waits until a line contains <paramref name="text"/> and answers that line.</summary>
    /// <exception cref="TimeoutException">That did not happen within <paramref name="within"/> (10 s); says what was written instead.</exception>
    public async Task<string> WaitForLineAsync(string text, TimeSpan? within = null)
    {
        var deadline = Deadline.In(within ?? TimeSpan.FromSeconds(10));
        while (true)
        {
            if (Lines().FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }

            if (deadline.HasPassed)
            {
                throw new TimeoutException($"No line with \"{text}\" was written in time. The output:\n{this}");
            }

            await Task.Delay(10);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Lines());

    internal async Task PumpAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_gate)
            {
                _lines.Enqueue(line);
                if (_lines.Count > MaxLines)
                {
                    _lines.Dequeue();
                }
            }
        }
    }
}
