namespace Affinity.LoadBench;

/// <summary>What is asked, how, and how far the store is away.</summary>
/// <param name="Operation"><c>anonymous untouched read write</c>.</param>
/// <param name="Connections">How many requests are under way at a time.</param>
/// <param name="Delay">The way to the store and back.</param>
internal readonly record struct Setting(string Operation, int Connections, TimeSpan Delay)
{
    public string Path => Operation is "anonymous" ? "untouched" : Operation;

    public bool HasCookies => Operation is not "anonymous";

    public override string ToString() => $"{Operation}, {Connections} connection(s), {Delay.TotalMilliseconds:0} ms to the store";
}

/// <summary>One run of wrk against one app.</summary>
/// <param name="PerSecond">Requests per second.</param>
/// <param name="P50">In microseconds.</param>
/// <param name="P99">In microseconds.</param>
/// <param name="Cpu">Microseconds of the app's processor time per request.</param>
/// <param name="Commands">Commands to Redis per request, those inside scripts left out.</param>
/// <param name="RedisBytes">Bytes to and from Redis per request.</param>
/// <param name="RedisCpu">Microseconds of redis-server's processor time per request.</param>
/// <param name="AnswerBytes">Of an answer, status line and headers included.</param>
/// <param name="Errors">Answers that were none, or not 2xx.</param>
/// <param name="DatabaseTrips">Round trips to PostgreSQL per request.</param>
/// <param name="DatabaseCpu">Microseconds of PostgreSQL's processor time per request.</param>
internal readonly record struct Sample(double PerSecond, double P50, double P99, double Cpu, double Commands, double RedisBytes, double RedisCpu, double AnswerBytes, long Errors, double DatabaseTrips = 0, double DatabaseCpu = 0)
{
    /// <summary>The median of each figure by itself; errors add up.</summary>
    public static Sample Median(IReadOnlyCollection<Sample> samples)
    {
        return new(Of(s => s.PerSecond), Of(s => s.P50), Of(s => s.P99), Of(s => s.Cpu), Of(s => s.Commands), Of(s => s.RedisBytes), Of(s => s.RedisCpu), Of(s => s.AnswerBytes), samples.Sum(s => s.Errors), Of(s => s.DatabaseTrips), Of(s => s.DatabaseCpu));

        double Of(Func<Sample, double> figure) => samples.Select(figure).Order().ElementAt(samples.Count / 2);
    }
}
