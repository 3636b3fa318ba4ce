using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Affinity.Backends.Memory;
using Affinity.Inspection;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Documentation;
using Affinity.Tests.Hosting;
using Affinity.Tests.Sessions;
using Affinity.Tests.Stickiness;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Affinity.Tool;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Affinity.Tests.Inspection.InspectorSample;

namespace Affinity.Tests.Inspection;

/// <summary>The inspector offline.</summary>
public sealed class ToolTests
{
    private static readonly string[] Shop = ["inspect", "--application", Sample.Application];

    [Fact]
    public async Task A_genuine_ticket_counts_and_its_text_is_the_golden_one()
    {
        var cookies = $"Cookie: {Sample.CookieName}={Genuine}; {BindingName}={Encode(NodeA)}; AFF=node-a";

        var run = await RunAsync(cookies, [.. Shop, "--at", "2030-01-01T12:05:00Z"]);

        Assert.Equal((0, ""), (run.Code, run.Errors));
        Assert.Equal(Sample.Golden("tool.txt"), run.Output.TrimEnd('\n'));
    }

    [Fact]
    public async Task A_ticket_with_a_journal_is_told_in_the_golden_way_when_the_keys_are_given()
    {
        using var keys = new TempDirectory();
        var text = Journaled(keys.Path);

        var redacted = await RunAsync(text, [.. Shop, "--key-directory", keys.Path]);
        var shown = await RunAsync(text, [.. Shop, "--key-directory", keys.Path, "--show-values"]);

        Assert.Equal(Sample.Golden("tool-journal.txt"), redacted.Output.TrimEnd('\n'));
        Assert.Equal(
            redacted.Output.Replace("8 bytes, text", "8 bytes, text = two mugs", StringComparison.Ordinal).Replace("4 bytes, integer", "4 bytes, integer = 2 (0x00000002)", StringComparison.Ordinal),
            shown.Output);
    }

    [Fact]
    public async Task The_folder_of_keys_is_never_written()
    {
        using var keys = new TempDirectory();
        using var empty = new TempDirectory();

        var run = await RunAsync(Journaled(keys.Path), [.. Shop, "--key-directory", empty.Path]);

        Assert.Contains("unknown_key", run.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(empty.Path));
        Assert.Single(Directory.EnumerateFileSystemEntries(keys.Path));
    }

    [Fact]
    public async Task With_json_it_answers_what_the_endpoint_answers()
    {
        var run = await RunAsync(Genuine, [.. Shop, "--json"]);
        Assert.Equal(JsonSerializer.Serialize(Inspect(Genuine), InspectionJson.Default.InspectionReport) + Environment.NewLine, run.Output);
    }

    [Theory]
    [InlineData("affinity-insecure", new string[0], 0, "affinity-insecure: valid")]
    [InlineData("affinity-insecure", new[] { "--cookie", "__Host-affinity" }, 1, "other_cookie_name")]
    [InlineData("sid", new string[0], 1, "bad_mac")]
    [InlineData("sid", new[] { "--cookie", "sid" }, 0, "sid: valid")]
    [InlineData("sid", new[] { "--cookie", "sessions", "--cookie", "sid" }, 1, "other_cookie_name")]
    [InlineData("warehouse/sid", new[] { "--application", "warehouse", "--cookie", "a", "--cookie", "sid" }, 1, "It was made by the application warehouse as a ticket in the cookie sid.")]
    public async Task Names_are_tried_as_they_are_given(string madeFor, string[] args, int code, string told)
    {
        var names = madeFor.Split('/');
        var codec = names.Length == 2 ? Sample.Codec(application: names[0], cookie: names[1]) : Sample.Codec(cookie: names[0]);

        var run = await RunAsync(codec.Encode(Sample.Ticket(), Key), [.. Shop, .. args]);

        Assert.Equal(code, run.Code);
        Assert.Contains(told, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("__Host-affinity-binding", new string[0], 0, "__Host-affinity-binding: valid")]
    [InlineData("sid-binding", new[] { "--cookie", "sid" }, 0, "sid-binding: valid")]
    [InlineData("sid-binding", new[] { "--cookie", "sessions", "--cookie", "sid" }, 1, "other_cookie_name")]
    public async Task A_binding_is_named_as_the_ticket_beside_it(string madeFor, string[] args, int code, string told)
    {
        var run = await RunAsync(BindingSample.Codec(cookie: madeFor).Encode(BindingSample.Bare, Key), [.. Shop, .. args]);

        Assert.Equal(code, run.Code);
        Assert.Contains(told, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new string[0], "The one command is inspect.")]
    [InlineData(new[] { "sesame" }, "The one command is inspect.")]
    [InlineData(new[] { "inspect", "sesame" }, "read from standard input")]
    [InlineData(new[] { "inspect", "--cookie", "a=sesame" }, "--cookie takes the name")]
    [InlineData(new[] { "inspect", "--cookie" }, "--cookie takes the name")]
    [InlineData(new[] { "inspect", "--route", "sesame;" }, "--route takes the name")]
    [InlineData(new[] { "inspect", "--dialect", "sesame" }, "--dialect takes one of Plain, Suffix")]
    [InlineData(new[] { "inspect", "--dialect", "7" }, "--dialect takes one of")]
    [InlineData(new[] { "inspect", "--at", "sesame" }, "--at takes a time")]
    [InlineData(new[] { "inspect", "--key-directory", "/nonexistent/sesame" }, "a folder that exists")]
    [InlineData(new[] { "inspect", "--application", "" }, "--application takes a name")]
    [InlineData(new[] { "inspect", "--application" }, "--application takes a name")]
    [InlineData(new[] { "inspect", "--sesame", "x" }, "not understood")]
    public async Task A_wrong_call_is_told_apart_and_repeats_nothing(string[] args, string told)
    {
        var run = await RunAsync(Genuine, args, ("AFFINITY_SECRETS", Sample.Secret), ("AFFINITY_APPLICATION", "shop"));

        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.Contains(told, run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "shop", "x", "AFFINITY_SECRETS is not set")]
    [InlineData(" ; ", "shop", "x", "AFFINITY_SECRETS is not set")]
    [InlineData("sesame!", "shop", "x", "Affinity:Secrets:0 is not base64")]
    [InlineData("c2VzYW1l", "shop", "x", "has 6 bytes and needs at least 32")]
    [InlineData("ok", null, "x", "--application or AFFINITY_APPLICATION")]
    [InlineData("ok", "shop", "", "Standard input has no cookie")]
    [InlineData("ok", "shop", " \n", "Standard input has no cookie")]
    [InlineData("ok", "shop", "long", "more than 32768 bytes")]
    public async Task What_is_missing_is_named(string? secrets, string? application, string input, string told)
    {
        var run = await RunAsync(
            input == "long" ? new string('A', InspectionInput.MaxLength + 1) : input, ["inspect"], ("AFFINITY_SECRETS", secrets == "ok" ? Sample.Secret : secrets), ("AFFINITY_APPLICATION", application));

        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.Contains(told, run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VzYW1l", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arguments_without_end_are_not_read()
    {
        var run = await RunAsync(Genuine, [.. Enumerable.Repeat("inspect", 65)]);
        Assert.Equal(2, run.Code);
        Assert.StartsWith("There are too many arguments.", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("inspect", "--help")]
    public async Task Help_is_no_fault(params string[] args)
    {
        var run = await RunAsync("", args);
        Assert.Equal((0, InspectArguments.Usage + Environment.NewLine, ""), run);
    }

    [Fact]
    public async Task Every_secret_of_the_environment_verifies()
    {
        var run = await RunAsync(Genuine, Shop, ("AFFINITY_SECRETS", $"{Sample.OtherSecret}; {Sample.Secret};"));
        Assert.Equal(0, run.Code);
        Assert.Contains("Affinity:Secrets:1 (2 of 2), week 3130 (from 2029-12-27); verifies", run.Output, StringComparison.Ordinal);
    }

    /// <summary>The built tool as a process, a cookie of a running app, and nothing between them but a secret and a folder of keys.</summary>
    [Theory]
    [InlineData("as the framework lays them")]
    [InlineData("Affinity:KeyDirectory")]
    public async Task The_tool_tells_what_a_cookie_of_a_running_app_holds(string layout)
    {
        using var keys = new TempDirectory();
        var store = new FaultyStore(new MemorySessionStore(TimeProvider.System));
        (string Key, string Value)[] settings = [("Application", Sample.Application), ("Secrets:0", Sample.Secret)];
        await using var app = await OperatorApp.StartAsync(
            app => app.MapPost("/set", (HttpContext context) => context.Session.SetString("basket", "two mugs")),
            builder =>
            {
                builder.Services.AddSingleton<ISessionStore>(store);
                if (!layout.StartsWith("Affinity", StringComparison.Ordinal))
                {
                    builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(keys.Path));
                }
            },
            layout.StartsWith("Affinity", StringComparison.Ordinal) ? [.. settings, ("KeyDirectory", keys.Path)] : settings);
        store.Break();
        using var answer = await app.SendAsync(HttpMethod.Post, "/set");
        var cookies = string.Join('\n', answer.Headers.GetValues("Set-Cookie").Select(line => "Set-Cookie: " + line));

        var shown = await RunProcessAsync(cookies, Sample.Secret, [.. Shop, "--key-directory", keys.Path, "--show-values"]);
        var refused = await RunProcessAsync(cookies, Sample.OtherSecret, Shop);

        Assert.Equal((0, ""), (shown.Code, shown.Errors));
        Assert.Contains("ticket __Host-affinity: valid", shown.Output, StringComparison.Ordinal);
        Assert.Contains("basket: 8 bytes, text = two mugs", shown.Output, StringComparison.Ordinal);
        Assert.Contains("route AFF: named", shown.Output, StringComparison.Ordinal);
        Assert.Equal((1, ""), (refused.Code, refused.Errors));
        Assert.Contains("ticket __Host-affinity: unknown_key", refused.Output, StringComparison.Ordinal);
        var value = cookies.Split("__Host-affinity=")[1].Split(';')[0];
        Assert.All([shown.Output, refused.Output], text => Assert.DoesNotContain(value[40..80], text, StringComparison.Ordinal));
    }

    /// <summary>The commands of docs/inspector.md answer what stands there.</summary>
    [Fact]
    public async Task The_transcript_in_the_documents_is_what_the_tool_says()
    {
        Dictionary<string, string> environment = new(StringComparer.Ordinal);
        var told = new StringBuilder();
        var shown = string.Concat(Document.Of("docs/inspector.md").Blocks("console"));
        foreach (var line in shown.Split('\n').Where(line => line.StartsWith("$ ", StringComparison.Ordinal)))
        {
            told.Append(line).Append('\n');
            if (line.StartsWith("$ export ", StringComparison.Ordinal))
            {
                foreach (var pair in line["$ export ".Length..].Split(' '))
                {
                    environment.Add(pair.Split('=', 2)[0], pair.Split('=', 2)[1]);
                }

                continue;
            }

            var parts = line.Split(" | dotnet run --project tools/affinity -- ");
            var input = parts[0]["$ echo '".Length..^1];
            var run = await RunAsync(input, parts[1].Split("; echo $?")[0].Split(' '), [.. environment.Select(pair => (pair.Key, (string?)pair.Value))]);
            told.Append(run.Output);
            if (parts[1].EndsWith("; echo $?", StringComparison.Ordinal))
            {
                told.Append(run.Code).Append('\n');
            }
        }

        Assert.NotEmpty(environment);
        Assert.Equal(shown.Replace("\n\n", "\n", StringComparison.Ordinal), told.ToString().Replace("\n\n", "\n", StringComparison.Ordinal));
    }

    private static string Journaled(string folder)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(new ManualTime(Sample.Now));
        services.AddSingleton<IKeyVault, MemoryKeyVault>();
        services.AddSharedDataProtection(_ => Sample.Application, _ => false);
        services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(folder));
        using var provider = services.BuildServiceProvider();
        var journal = new SessionJournal(
        [
            new JournalEntry(Sample.Ticket().Version, 5, Clears: false, RaisesGeneration: false, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["basket"] = "two mugs"u8.ToArray(), ["coupon"] = null }),
            new JournalEntry(Sample.Ticket().Version, 6, Clears: false, RaisesGeneration: true, new Dictionary<string, byte[]?>(StringComparer.Ordinal) { ["visits"] = [0, 0, 0, 2] }),
        ]);
        var seal = ActivatorUtilities.CreateInstance<TicketSeal>(provider, new TicketScope(Sample.Application, []), new TicketOptions());
        Assert.True(seal.TrySeal(TicketSection.Journal, Sample.Session(), SessionJournalCodec.Encode(journal), out var sealedBytes));
        return Sample.Codec().Encode(Sample.Ticket() with { Journal = sealedBytes }, Key);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string input, string[] args, params (string Name, string? Value)[] environment)
    {
        (string Name, string? Value)[] variables = environment.Length == 0 ? [("AFFINITY_SECRETS", Sample.Secret)] : environment;
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(input));
        await using StringWriter output = new(), errors = new();
        var code = await InspectCommand.RunAsync(
            args, stream, output, errors, name => Array.Find(variables, variable => string.Equals(variable.Name, name, StringComparison.Ordinal)).Value, new ManualTime(Sample.Now));
        return (code, output.ToString(), errors.ToString());
    }

    private static async Task<(int Code, string Output, string Errors)> RunProcessAsync(string input, string secret, string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(InspectCommand).Assembly.Location, .. args]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["AFFINITY_SECRETS"] = secret;
        start.Environment.Remove("AFFINITY_APPLICATION");
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
