using System.Globalization;
using System.Reflection;
using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Documentation;

/// <summary>docs/operations.md tells of every log event, with its id and level, and of none that does not exist.</summary>
public sealed class LogReferenceTests
{
    [Fact]
    public void Every_log_event_stands_in_the_reference_with_its_id_and_level_and_no_other_does()
    {
        var real = typeof(Log).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .Select(told => (Id: told.EventId, Name: told.EventName ?? "", Level: told.Level.ToString()))
            .ToList();

        var reference = Document.Of("docs/operations.md").Rows("## Log events")
            .Where(cells => char.IsAsciiDigit(cells[0].FirstOrDefault()))
            .Select(cells => (int.Parse(cells[0], CultureInfo.InvariantCulture), cells[1], cells[2]));

        Assert.NotEmpty(real);
        Assert.Equal(real.OrderBy(told => told.Id), reference);
    }
}
