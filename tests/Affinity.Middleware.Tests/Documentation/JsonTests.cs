using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Affinity.Inspection;
using Affinity.Nodes;
using Affinity.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Documentation;

/// <summary>The JSON of the documents: settings bind and are valid, answers have the fields that the paths answer with.</summary>
public sealed class JsonTests
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    public static TheoryData<string> Blocks => [.. Document.All.SelectMany(document => document.Blocks("json"))];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Every_block_is_what_the_app_reads_or_answers(string json)
    {
        using var parsed = JsonDocument.Parse(json);
        if (parsed.RootElement.TryGetProperty("ready", out _))
        {
            AssertHasEveryField(parsed.RootElement, JsonSerializer.Deserialize<ReadyAnswer>(json, Strict)!, HealthJson.Default);
        }
        else if (parsed.RootElement.TryGetProperty("nodes", out var nodes))
        {
            var answer = JsonSerializer.Deserialize<NodesAnswer>(json, Strict)!;
            AssertHasEveryField(parsed.RootElement, answer, FarmJson.Default);
            Assert.All(answer.Nodes.Zip(nodes.EnumerateArray()), pair => AssertHasEveryField(pair.Second, pair.First, FarmJson.Default));
        }
        else if (parsed.RootElement.TryGetProperty("cookies", out var cookies))
        {
            var report = JsonSerializer.Deserialize<InspectionReport>(json, Strict)!;
            AssertHasEveryField(parsed.RootElement, report, InspectionJson.Default);
            Assert.All(report.Cookies.Zip(cookies.EnumerateArray()), pair => AssertHasEveryField(pair.Second, pair.First, InspectionJson.Default));
        }
        else if (parsed.RootElement.TryGetProperty("command", out _))
        {
            AssertHasEveryField(parsed.RootElement, JsonSerializer.Deserialize<CommandAnswer>(json, Strict)!, FarmJson.Default);
        }
        else if (parsed.RootElement.TryGetProperty("title", out _))
        {
            AssertHasEveryField(parsed.RootElement, JsonSerializer.Deserialize<ProblemAnswer>(json, Strict)!, FarmJson.Default);
        }
        else if (parsed.RootElement.TryGetProperty("node", out _))
        {
            AssertHasEveryField(parsed.RootElement, JsonSerializer.Deserialize<LiveAnswer>(json, Strict)!, HealthJson.Default);
        }
        else
        {
            AssertValidSettings(json);
        }
    }

    private static void AssertHasEveryField<T>(JsonElement shown, T answer, JsonSerializerContext context)
    {
        var real = JsonSerializer.SerializeToElement(answer, typeof(T), context);
        Assert.Equal(real.EnumerateObject().Select(field => field.Name), shown.EnumerateObject().Select(field => field.Name));
    }

    private static void AssertValidSettings(string json)
    {
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
        Assert.Empty(configuration.GetChildren().Select(section => section.Key).Except(["Affinity", "ConnectionStrings"], StringComparer.Ordinal));
        var options = new AffinityOptions();
        configuration.GetSection("Affinity").Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        options.Application ??= "shop";
        options.Redis.Configuration ??= configuration.GetConnectionString("redis");
        options.HasDatabase = configuration.GetConnectionString("affinity-db") is not null;

        var result = new AffinityOptionsValidator(Options.Create(new HostOptions()), new HostingEnvironment { EnvironmentName = Environments.Production }).Validate(name: null, options);

        Assert.True(result.Succeeded, result.FailureMessage);
        Assert.True(options.IsShared || options.Sessions.Carrier == SessionCarrier.Cookie);
    }
}
