using System.Collections.Concurrent;
using System.Globalization;
using Affinity.TestKit;

namespace Affinity.ServerTests.Farm;

/// <summary>Saves one value after the other on nodes at random, and knows which were answered.</summary>
internal sealed class LoadedVisitor(ProbeFarm farm, int number)
{
    private readonly Visitor _visitor = new() { Patience = TimeSpan.FromSeconds(5) };
    private readonly ConcurrentBag<int> _answered = [];
    private readonly Random _random = new(number);

    public int Answered => _answered.Count;

    public int Broken { get; private set; }

    public async Task SignInAsync() => (await _visitor.GetAsync(farm[number], "signin?name=visitor" + number)).EnsureSuccessStatusCode();

    public async Task LoadAsync(CancellationToken end)
    {
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            try
            {
                using var response = await _visitor.PostAsync(farm[_random.Next(3)], string.Create(CultureInfo.InvariantCulture, $"set/k{i}/{i}"));
                if (response.IsSuccessStatusCode)
                {
                    _answered.Add(i);
                }
            }
            catch (HttpRequestException)
            {
                Broken++;
            }
        }
    }

    public async Task<(int Answered, int Lost, bool SignedOut)> CheckAsync(params Uri[] nodes)
    {
        var lost = 0;
        foreach (var key in _answered)
        {
            using var read = await _visitor.GetAsync(nodes[key % nodes.Length], string.Create(CultureInfo.InvariantCulture, $"get/k{key}"));
            var value = await read.Content.ReadAsStringAsync();
            lost += string.Equals(value, key.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) ? 0 : 1;
        }

        var name = await _visitor.GetStringAsync(nodes[0], "whoami");
        return (_answered.Count, lost, !string.Equals(name, "visitor" + number, StringComparison.Ordinal));
    }
}
