using Affinity.Stickiness;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Affinity.Tests.Stickiness;

/// <summary>What the watch is told of the store.</summary>
public sealed class ObedienceStageTests
{
    [Theory]
    [InlineData(true, "ConnectionStrings:redis=localhost:1")]
    [InlineData(true, "ConnectionStrings:redis=localhost:1", "Affinity:Sessions:Carrier=Cookie")]
    [InlineData(false, "ConnectionStrings:redis=localhost:1", "Affinity:Store=Distributed")]
    [InlineData(false, "Affinity:Sessions:Carrier=Cookie")]
    [InlineData(false)]
    public void Only_some_stores_know_which_nodes_live(bool knows, params string[] settings)
    {
        var builder = WebApplication.CreateBuilder([.. settings.Select(setting => $"--{setting}")]);
        builder.AddAffinity(options => options.KeyDirectory = Path.GetTempPath());
        using var app = builder.Build();
        Assert.Equal(knows, app.Services.GetRequiredService<StickinessOptions>().StoreKnowsNodes);
    }
}
