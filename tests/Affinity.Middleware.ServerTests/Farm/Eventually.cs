using System.Net;
using Affinity.TestKit;

namespace Affinity.ServerTests.Farm;

/// <summary>Asks until the answer is the awaited one, and fails with the last answer after 20 seconds.</summary>
internal static class Eventually
{
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
}
