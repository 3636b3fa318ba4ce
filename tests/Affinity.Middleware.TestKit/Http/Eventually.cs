using System.Net;

namespace Affinity.TestKit;

/// <summary>Asks until the answer is the awaited one, and fails with the last answer after 20 seconds.</summary>
public static class Eventually
{
    /// <summary>GETs until status and body are as awaited; answers the body.</summary>
    public static async Task<string> AnswersAsync(Uri node, string path, HttpStatusCode status, Visitor? visitor = null, Func<string, bool>? and = null)
    {
        visitor ??= new Visitor();
        var last = "no answer";
        for (var tries = 0; tries < 200; tries++)
        {
            try
            {
                using var response = await visitor.GetAsync(node, path);
                last = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == status && (and is null || and(last)))
                {
                    return last;
                }

                last = $"{(int)response.StatusCode} {last}";
            }
            catch (HttpRequestException e)
            {
                last = e.Message;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"GET {path} did not answer {(int)status} in time; last: {last}");
    }

    /// <summary>Waits until a node of the probe app saves what a new visitor sets, and in the store: a journal in the visitor's cookie does not count.</summary>
    /// <exception cref="TimeoutException">It does not in time.</exception>
    public static async Task WritesAsync(Uri node, TimeSpan within)
    {
        var deadline = Deadline.In(within);
        var last = "no answer";
        while (!deadline.HasPassed)
        {
            try
            {
                using var response = await new Visitor { Patience = TimeSpan.FromSeconds(5) }.PostAsync(node, "history/add/eventually");
                var answer = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == HttpStatusCode.OK && answer.Contains("\"store\":\"Reachable\"", StringComparison.Ordinal))
                {
                    return;
                }

                last = $"{(int)response.StatusCode} {answer}";
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
            {
                last = exception.Message;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"{node} saved nothing within {within}; last: {last}");
    }
}
