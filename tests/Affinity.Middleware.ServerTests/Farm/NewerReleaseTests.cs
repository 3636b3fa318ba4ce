using System.Net;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Farm;

/// <summary>This release beside a newer one: what that has written is not this one's to change. The contract is in docs/operations.md, "Upgrading".</summary>
[Collection("Foreign records")]
public sealed class NewerReleaseTests(ForeignRecords records)
{
    [ServerFact(Needs.Redis)]
    public async Task What_a_newer_release_has_stored_stays_as_it_is_whatever_its_visitor_does_on_an_older_node()
    {
        var (farm, database) = await records.StartAsync();
        foreach (var isNewInVersion in (bool[])[false, true])
        {
            var visitor = new Visitor();
            (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();
            var payload = (byte[])(await database.HashGetAsync(visitor.RecordName(), "p"))!;
            payload[0] = 2;
            await database.HashSetAsync(visitor.RecordName(), [new("p", payload), new("v", isNewInVersion ? "2:1" : "2"), new("s", "00000000000000aa"), new("z", "of the newer one")]);
            var before = await database.FieldsOfAsync(visitor);
            (HttpMethod Method, string Path, HttpStatusCode Status)[] requests =
            [
                (HttpMethod.Get, "untouched", HttpStatusCode.OK), (HttpMethod.Get, "get/x", HttpStatusCode.ServiceUnavailable), (HttpMethod.Get, "keys", HttpStatusCode.ServiceUnavailable),
                (HttpMethod.Post, "set/y/2", HttpStatusCode.ServiceUnavailable), (HttpMethod.Post, "add/n", HttpStatusCode.ServiceUnavailable), (HttpMethod.Get, "signin?name=ada", HttpStatusCode.ServiceUnavailable),
                (HttpMethod.Get, "signout", HttpStatusCode.ServiceUnavailable), (HttpMethod.Post, "abandon", HttpStatusCode.ServiceUnavailable),
            ];
            foreach (var (method, path, status) in requests)
            {
                using var request = new HttpRequestMessage(method, new Uri(farm[0], path));
                using var response = await visitor.SendAsync(request);

                Assert.Equal((path, status), (path, response.StatusCode));
                Assert.DoesNotContain(visitor.LastSetCookies, line => line.StartsWith("__Host-affinity", StringComparison.Ordinal));
                Assert.Equal(before, await database.FieldsOfAsync(visitor));
            }
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task A_node_that_remembers_an_older_state_neither_saves_over_a_newer_form_nor_gives_its_own_back()
    {
        var (farm, database) = await records.StartAsync();
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[1], "set/x/1")).EnsureSuccessStatusCode();
        await database.HashSetAsync(visitor.RecordName(), [new("p", new byte[] { 2, 7 }), new("v", "2"), new("s", "00000000000000aa")]);
        var before = await database.FieldsOfAsync(visitor);

        Assert.Equal("1", await visitor.GetStringAsync(farm[1], "get/x"));
        using var write = await visitor.PostAsync(farm[1], "set/x/2");
        using var after = await visitor.GetAsync(farm[1], "get/x");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (write.StatusCode, after.StatusCode));
        Assert.Equal(before, await database.FieldsOfAsync(visitor));
    }

    [ServerFact(Needs.Redis)]
    public async Task Fields_of_a_newer_release_survive_the_writes_of_an_older_one()
    {
        var (farm, database) = await records.StartAsync();
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();
        await database.HashSetAsync(visitor.RecordName(), "z", "of the newer one");

        (await visitor.PostAsync(farm[1], "set/x/2")).EnsureSuccessStatusCode();
        (await visitor.PostAsync(farm[0], "add/n")).EnsureSuccessStatusCode();
        (await visitor.GetAsync(farm[1], "signin?name=ada")).EnsureSuccessStatusCode();

        Assert.Equal("of the newer one", (string?)await database.HashGetAsync(visitor.RecordName(), "z"));
        Assert.Equal("2", await visitor.GetStringAsync(farm[0], "get/x"));
    }
}
