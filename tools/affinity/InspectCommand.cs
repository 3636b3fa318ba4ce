using System.Text;
using System.Text.Json;
using Affinity.Inspection;
using Affinity.Stickiness;
using Affinity.Tickets;

namespace Affinity.Tool;

/// <summary>The same as <c>GET /affinity/inspect</c>, with nothing but a cookie and the secrets. It prints neither.</summary>
internal static class InspectCommand
{
    private const int Counts = 0;
    private const int CountsNot = 1;
    private const int WrongCall = 2;

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Stream input, TextWriter output, TextWriter errors, Func<string, string?> environment, TimeProvider time)
    {
        if (InspectArguments.Read(args, environment("AFFINITY_APPLICATION"), out var fault) is not { } arguments)
        {
            await errors.WriteLineAsync($"{fault}\n\n{InspectArguments.Usage}");
            return WrongCall;
        }

        if (arguments.Help)
        {
            await output.WriteLineAsync(InspectArguments.Usage);
            return Counts;
        }

        string[] secrets = (environment("AFFINITY_SECRETS") ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (FaultOf(secrets) is { } wrong)
        {
            await errors.WriteLineAsync(wrong);
            return WrongCall;
        }

        if (await ReadAsync(input) is not { } text)
        {
            await errors.WriteLineAsync($"Standard input has no cookie, or more than {InspectionInput.MaxLength} bytes. Pipe the value of a cookie or a whole Cookie header in.");
            return WrongCall;
        }

        var clock = arguments.At is { } at ? new StandingTime(at) : time;
        using var keys = arguments.KeyDirectory is { } folder ? new KeyFolder(folder, arguments.Applications[0]) : null;
        var inspector = new CookieInspector(
            ScopeOf(arguments), new SecretSigningKeys(secrets, clock), new SectionInspector(keys?.Seal, sessions: null), BuiltInDialects.Of(arguments.Dialect), targets: null, clock);
        var report = inspector.Inspect(InspectionInput.Parse(text), arguments.ShowValues);
        await output.WriteLineAsync(arguments.Json ? JsonSerializer.Serialize(report, InspectionJson.Default.InspectionReport) : InspectionText.Of(report));
        return report.Valid ? Counts : CountsNot;
    }

    private static InspectionScope ScopeOf(InspectArguments arguments)
    {
        var named = arguments.TicketNames;
        IReadOnlyList<string> tickets = named.Count > 0 ? [named[0]] : InspectionNames.Tickets;
        IReadOnlyList<string> others = named.Count > 0 ? [.. named.Concat(InspectionNames.Tickets).Distinct(StringComparer.Ordinal).Skip(1)] : [];
        return new InspectionScope(arguments.Applications[0], tickets, [.. tickets.Select(BindingCookie.NameOf)], arguments.RouteName)
        {
            OtherApplications = [.. arguments.Applications.Skip(1)],
            OtherTicketNames = others,
            OtherBindingNames = [.. others.Select(BindingCookie.NameOf)],
        };
    }

    /// <summary>What is wrong with the secrets; never a secret.</summary>
    private static string? FaultOf(string[] secrets)
    {
        if (secrets.Length == 0)
        {
            return "AFFINITY_SECRETS is not set. It takes the app's Affinity:Secrets: base64, with semicolons between them. An app without secrets has its keys in the store: ask it, GET /affinity/inspect.";
        }

        var faults = SecretsValidator.Faults(secrets).ToArray();
        return faults.Length == 0 ? null : "AFFINITY_SECRETS does not hold what Affinity:Secrets takes:\n" + string.Join('\n', faults.Select(fault => "  " + fault));
    }

    /// <summary>All of it; null when there is nothing, or too much.</summary>
    private static async Task<string?> ReadAsync(Stream input)
    {
        var buffer = new byte[InspectionInput.MaxLength + 1];
        var length = await input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false);
        var text = length > InspectionInput.MaxLength ? "" : Encoding.UTF8.GetString(buffer, 0, length);
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    private sealed class StandingTime(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }
}
