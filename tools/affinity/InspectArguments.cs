using System.Buffers;
using System.Globalization;
using Affinity.Stickiness;

namespace Affinity.Tool;

/// <summary>What the command line says. No message repeats an argument: somebody may have put a cookie or a secret there.</summary>
internal sealed record InspectArguments
{
    public const string Usage = """
        affinity inspect [options] < cookie

          Tells what a cookie of Affinity is, whether it counts, and why not. Works offline: it asks no app, no store and no network.
          The cookie is read from standard input, at most 32 KiB: the value alone, or lines of headers (Cookie: …, Set-Cookie: …).

          AFFINITY_SECRETS             the app's Affinity:Secrets, in their order, with semicolons between them. An environment variable
                                       and no option, as others see command lines. An app without secrets: GET /affinity/inspect there.
          AFFINITY_APPLICATION         as --application

          --application NAME           the app's Affinity:Application, else the name of its entry assembly. Given again: others to be tried
          --cookie NAME                the ticket's cookie (Affinity:Ticket:CookieName); the binding's is NAME-binding. Given again: others
                                       to be tried. Without it __Host-affinity and affinity-insecure both count
          --route NAME                 the route cookie (Affinity:Stickiness:CookieName); AFF without it
          --dialect NAME               how its value is written (Affinity:Stickiness:Dialect): Plain without it, Suffix, Tagged, EnvoyAddress, Opaque
          --key-directory FOLDER       Data Protection keys in files, which open what is encrypted; nothing is written there
          --at TIME                    judges as of then: 2026-11-21T12:00:00Z
          --show-values                shows what the session holds, where it can be opened; without it, lengths and a guess at the type
          --json                       JSON as of GET /affinity/inspect, instead of text
          --help                       this

          Exit code: 0 it counts, 1 it does not, 2 the call is wrong.
        """;

    private const int MaxArguments = 64;
    private const int MaxNames = 16;
    private const int MaxNameLength = 64;
    private const int MaxApplicationLength = 200;
    private const int MaxPathLength = 4096;

    // RFC 6265, section 4.1.1: a cookie's name is a token of RFC 9110.
    private static readonly SearchValues<char> TokenLetters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>The one that counts first; at least one unless <see cref="Help"/>.</summary>
    public IReadOnlyList<string> Applications { get; private init; } = [];

    /// <summary>The one that counts first; empty: the built-in ones count.</summary>
    public IReadOnlyList<string> TicketNames { get; private init; } = [];

    public string RouteName { get; private init; } = "AFF";

    public AffinityDialect Dialect { get; private init; } = AffinityDialect.Plain;

    public string? KeyDirectory { get; private init; }

    public DateTimeOffset? At { get; private init; }

    public bool ShowValues { get; private init; }

    public bool Json { get; private init; }

    public bool Help { get; private init; }

    /// <summary>Reads them; null, with what is wrong, when they are not understood.</summary>
    public static InspectArguments? Read(IReadOnlyList<string> args, string? application, out string fault)
    {
        fault = "";
        if (args.Count > MaxArguments)
        {
            fault = "There are too many arguments.";
            return null;
        }

        if (args is ["--help" or "-h" or "help"])
        {
            return new InspectArguments { Help = true };
        }

        if (args is not ["inspect", ..])
        {
            fault = "The one command is inspect.";
            return null;
        }

        var read = new InspectArguments();
        for (var i = 1; i < args.Count; i++)
        {
            var value = i + 1 < args.Count ? args[i + 1] : null;
            switch (args[i])
            {
                case "--help" or "-h":
                    return new InspectArguments { Help = true };
                case "--json":
                    read = read with { Json = true };
                    continue;
                case "--show-values":
                    read = read with { ShowValues = true };
                    continue;
            }

            if (read.With(args[i], value, out fault) is not { } next)
            {
                return null;
            }

            (read, i) = (next, i + 1);
        }

        return read.WithApplication(application, out fault);
    }

    private InspectArguments? With(string option, string? value, out string fault)
    {
        switch (option)
        {
            case "--application":
                fault = value is { Length: > 0 and <= MaxApplicationLength } && Applications.Count < MaxNames ? "" : "--application takes a name of 1 to 200 characters, at most 16 times.";
                return fault.Length > 0 ? null : this with { Applications = [.. Applications, value!] };
            case "--cookie":
                fault = IsName(value) && TicketNames.Count < MaxNames ? "" : "--cookie takes the name of a cookie, 1 to 64 characters, at most 16 times. The cookie itself is read from standard input.";
                return fault.Length > 0 ? null : this with { TicketNames = [.. TicketNames, value!] };
            case "--route":
                fault = IsName(value) ? "" : "--route takes the name of a cookie, 1 to 64 characters.";
                return fault.Length > 0 ? null : this with { RouteName = value! };
            case "--dialect":
                fault = Enum.GetNames<AffinityDialect>().Contains(value, StringComparer.OrdinalIgnoreCase) ? "" : $"--dialect takes one of {string.Join(", ", Enum.GetNames<AffinityDialect>())}.";
                return fault.Length > 0 ? null : this with { Dialect = Enum.Parse<AffinityDialect>(value!, ignoreCase: true) };
            case "--key-directory":
                fault = value is { Length: > 0 and <= MaxPathLength } && Directory.Exists(value) ? "" : "--key-directory takes a folder that exists.";
                return fault.Length > 0 ? null : this with { KeyDirectory = value };
            case "--at":
                var isTime = DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) && at > DateTimeOffset.UnixEpoch;
                fault = isTime ? "" : "--at takes a time after 1970, such as 2026-11-21T12:00:00Z.";
                return isTime ? this with { At = at } : null;
            default:
                fault = "An argument is not understood. The cookie itself is read from standard input, where nobody else sees it.";
                return null;
        }
    }

    private InspectArguments? WithApplication(string? application, out string fault)
    {
        fault = "";
        if (Applications.Count > 0)
        {
            return this;
        }

        if (application is { Length: > 0 and <= MaxApplicationLength })
        {
            return this with { Applications = [application] };
        }

        fault = "Name the application with --application or AFFINITY_APPLICATION: the app's Affinity:Application, else the name of its entry assembly. It is part of every signature.";
        return null;
    }

    private static bool IsName(string? name) => name is { Length: > 0 and <= MaxNameLength } && !name.AsSpan().ContainsAnyExcept(TokenLetters);
}
