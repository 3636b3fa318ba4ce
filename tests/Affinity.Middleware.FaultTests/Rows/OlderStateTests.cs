using System.Net;
using System.Net.Http.Json;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;

namespace Affinity.FaultTests.Rows;

/// <summary>
/// What a fail-over and two primaries do to one record, step by step: the store goes back to an older state, or holds another history. What was answered is there or is told.
/// </summary>
public sealed class OlderStateTests(OlderStateTests.Nodes nodes) : IClassFixture<OlderStateTests.Nodes>
{
    private readonly Visitor _visitor = new();
    private string _record = "";

    [ServerFact(Needs.Redis)]
    public async Task A_save_by_a_node_that_remembers_more_than_the_store_still_has()
    {
        await SaveAsync("a", node: 0);
        await FindRecordAsync();
        await CopyAsync(_record, "older");
        await SaveAsync("b", node: 0);

        await CopyAsync("older", _record);

        // It remembers a and b, expects their version, and meets the older one.
        Assert.True(await IsKeptOrToldAsync("b", await _visitor.PostAsync(nodes.Farm[0], "history/set/c/0.0.1")));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_read_of_a_history_that_is_longer_and_another_one()
    {
        await SaveAsync("a", node: 0);
        await FindRecordAsync();
        await CopyAsync(_record, "older");
        var other = _visitor.Clone();
        (await other.PostAsync(nodes.Farm[0], "history/set/x/0.0.1")).EnsureSuccessStatusCode();
        (await other.PostAsync(nodes.Farm[0], "history/set/y/0.0.1")).EnsureSuccessStatusCode();
        await CopyAsync(_record, "foreign");
        await CopyAsync("older", _record);
        await SaveAsync("b", node: 1);

        await CopyAsync("foreign", _record);

        // Its counter is above that of the visitor's ticket, and b is not in it.
        Assert.True(await IsKeptOrToldAsync("b", await _visitor.GetAsync(nodes.Farm[0], "history")));
    }

    private async Task SaveAsync(string key, int node) => (await _visitor.PostAsync(nodes.Farm[node], $"history/set/{key}/0.0.1")).EnsureSuccessStatusCode();

    private async Task FindRecordAsync()
    {
        foreach (var key in (await nodes.Farm.Redis.CommandAsync("KEYS", "*:s:*")).Items!.Select(item => item.Text!))
        {
            // The warm-up has ended its sessions, and the other test's has more versions.
            _record = (await nodes.Farm.Redis.CommandAsync("HGET", key, "v")).Text == "1" ? key : _record;
        }

        Assert.NotEmpty(_record);
    }

    private Task<RespReply> CopyAsync(string from, string to) => nodes.Farm.Redis.CommandAsync("COPY", from, to, "REPLACE");

    private static async Task<bool> IsKeptOrToldAsync(string key, HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return true;
        }

        var answer = await response.Content.ReadFromJsonAsync<HistoryAnswer>();
        return answer!.Lost || answer.Items.ContainsKey(key);
    }

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { Settings = [("Affinity:Sessions:NearCache:MaxAge", "00:01:00")] };
    }
}
