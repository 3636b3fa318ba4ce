using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>Nothing becomes public, or stops being so, by accident.</summary>
public sealed class PublicApiTests
{
    private static readonly string Listing = Path.Combine(SourceTree.Project, "PublicApi.txt");

    [Fact]
    public void The_public_surface_is_the_one_that_is_written_down()
    {
        var actual = PublicSurface.Lines(typeof(AffinityOptions).Assembly).ToArray();
        if (Environment.GetEnvironmentVariable("UPDATE_PUBLIC_API") == "1")
        {
            File.WriteAllText(Listing, string.Join('\n', actual) + "\n");
            return;
        }

        var written = File.Exists(Listing) ? File.ReadAllLines(Listing) : [];
        if (!actual.SequenceEqual(written, StringComparer.Ordinal))
        {
            Assert.Fail(string.Join('\n', [
                "The public surface is not the one of src/Affinity.Middleware/PublicApi.txt.",
                .. actual.Except(written, StringComparer.Ordinal).Select(line => "  new:  " + line),
                .. written.Except(actual, StringComparer.Ordinal).Select(line => "  gone: " + line),
                "If that is meant, write it down: UPDATE_PUBLIC_API=1 dotnet test tests/Affinity.Middleware.Tests --filter PublicApi"]));
        }
    }
}
