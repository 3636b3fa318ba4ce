using Affinity.Backends.Postgres;
using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>Nothing becomes public, or stops being so, by accident.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(AffinityOptions))]
    [InlineData(typeof(PostgresOptions))]
    public void The_public_surface_is_the_one_that_is_written_down(Type one)
    {
        var project = one.Assembly.GetName().Name!;
        var listing = Path.Combine(SourceTree.Project, "..", project, "PublicApi.txt");
        var actual = PublicSurface.Lines(one.Assembly).ToArray();
        if (Environment.GetEnvironmentVariable("UPDATE_PUBLIC_API") == "1")
        {
            File.WriteAllText(listing, string.Join('\n', actual) + "\n");
            return;
        }

        var written = File.Exists(listing) ? File.ReadAllLines(listing) : [];
        if (!actual.SequenceEqual(written, StringComparer.Ordinal))
        {
            Assert.Fail(string.Join('\n', [
                $"The public surface is not the one of src/{project}/PublicApi.txt.",
                .. actual.Except(written, StringComparer.Ordinal).Select(line => "  new:  " + line),
                .. written.Except(actual, StringComparer.Ordinal).Select(line => "  gone: " + line),
                "If that is meant, write it down: UPDATE_PUBLIC_API=1 dotnet test tests/Affinity.Middleware.Tests --filter PublicApi"]));
        }
    }
}
