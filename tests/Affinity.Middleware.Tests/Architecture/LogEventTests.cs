using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>Event ids and names are what people filter and alert by, and a log is read by many: it holds no secret.</summary>
public sealed partial class LogEventTests
{
    private static readonly Dictionary<string, (int First, int Last)> Ranges = new(StringComparer.Ordinal)
    {
        ["Log.Nodes.cs"] = (1000, 1999),
        ["Log.Tickets.cs"] = (2000, 2499),
        ["Log.Keys.cs"] = (2500, 2999),
        ["Log.Stickiness.cs"] = (3000, 3999),
        ["Log.Sessions.cs"] = (4000, 4999),
        ["Log.Backends.cs"] = (5000, 5999),
        ["Log.Root.cs"] = (6000, 6099),
        ["Log.Postgres.cs"] = (6100, 6199),
        ["Log.WriteThrough.cs"] = (6200, 6219),
        ["Log.Standby.cs"] = (6220, 6249),
        ["Log.Distributed.cs"] = (6300, 6349),
    };

    private static readonly Type[] Harmless =
        [typeof(string), typeof(int), typeof(long), typeof(double), typeof(TimeSpan), typeof(DateTimeOffset), typeof(EndPoint), typeof(Exception), typeof(ILogger)];

    private static readonly (MethodInfo Method, LoggerMessageAttribute Event)[] Events =
        [.. from method in typeof(Log).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
            where attribute is not null
            select (method, attribute)];

    [Fact]
    public void An_event_id_is_given_once()
        => Convention.Holds("An event id must be given once.",
            from entry in Events
            group entry.Method.Name by entry.Event.EventId into same
            where same.Count() > 1
            select $"{same.Key}: {string.Join(", ", same)}");

    [Fact]
    public void An_event_is_named_like_its_method()
        => Convention.Holds("EventName must be the name of the method.",
            from entry in Events
            where entry.Event.EventName != entry.Method.Name
            select $"{entry.Method.Name} has EventName = \"{entry.Event.EventName}\"");

    [Fact]
    public void An_event_id_lies_in_the_range_of_its_stage()
    {
        var found = (from file in SourceTree.Files from Match match in EventId().Matches(file.Names) select (file, match)).ToArray();
        Assert.Equal(Events.Length, found.Length);
        Convention.Holds("An event id must lie in the range of its file in Diagnostics.",
            from place in found
            let id = int.Parse(place.match.Groups["id"].Value, CultureInfo.InvariantCulture)
            where place.file.Folder != "Diagnostics" || !Ranges.TryGetValue(Path.GetFileName(place.file.Path), out var range) || id < range.First || id > range.Last
            select place.file.At(place.match, place.file.Names));
    }

    [Fact]
    public void No_parameter_is_named_like_a_secret()
        => Convention.Holds("A log line must hold no secret: log a fingerprint, a count or a reason.",
            from entry in Events
            from parameter in entry.Method.GetParameters()
            where parameter.Name != "keyId" // no secret: every cookie shows it
                && Secret().IsMatch(parameter.Name!)
            select $"{entry.Method.Name}: {parameter.Name}");

    [Fact]
    public void No_parameter_has_a_type_that_could_hold_one()
        => Convention.Holds("A log line takes texts, numbers and times only.",
            from entry in Events
            from parameter in entry.Method.GetParameters()
            where !Harmless.Contains(parameter.ParameterType)
            select $"{entry.Method.Name}: {parameter}");

    [GeneratedRegex(@"EventId\s*=\s*(?<id>\d+)", RegexOptions.ExplicitCapture)]
    private static partial Regex EventId();

    // As a word of its own: "id", "sessionId" and "idOfSession", but not "idle".
    [GeneratedRegex(
        "(^(id|cookie|secret|password|connection|configuration|ticket|token|key|element|xml|payload|header|value)"
            + "|(Id|Cookie|Secret|Password|Connection|Configuration|Ticket|Token|Key|Element|Xml|Payload|Header|Value))s?(?![a-z])",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Secret();
}
