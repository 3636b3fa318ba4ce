namespace Affinity.TestKit;

/// <summary>A table of what a suite has measured, for <c>test.sh</c> to print when the suite has ended.</summary>
public static class MeasuredTable
{
    private static readonly Lock Gate = new();

    /// <summary>Writes the table anew to the file that an environment variable names; without it nothing is written.</summary>
    /// <param name="variable">The variable's name.</param>
    /// <param name="render">The whole table as it is now. Called by one thread at a time, so that what stands in the end is the latest.</param>
    public static void Write(string variable, Func<string> render)
    {
        ArgumentNullException.ThrowIfNull(render);
        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } file)
        {
            lock (Gate)
            {
                File.WriteAllText(file, render());
            }
        }
    }
}
