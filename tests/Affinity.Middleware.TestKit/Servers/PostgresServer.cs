using System.Globalization;
using Npgsql;

namespace Affinity.TestKit;

/// <summary>A real PostgreSQL on a loopback port of its own, with its data in a directory of its own. The user <c>affinity</c> may do everything, without a password.</summary>
/// <remarks>PostgreSQL refuses to run as root; there it runs as the user <c>postgres</c>, or as <c>nobody</c>. To make a server takes about a second, so classes share one and keep apart by their schemas.</remarks>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly string? UnprivilegedUser = Environment.IsPrivilegedProcess ? FindUser() : null;

    private readonly PostgresServerOptions _options;
    private readonly TempDirectory _temp = new();
    private ServerProcess? _process;

    private PostgresServer(PostgresServerOptions options)
    {
        _options = options;
        Port = options.Port == 0 ? LoopbackPort.Next() : options.Port;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The address as Npgsql takes it.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=affinity;Database=postgres");

    /// <summary>The process that runs now or ran last: the postmaster.</summary>
    public ServerProcess Process => _process ?? throw new InvalidOperationException("The server was not started.");

    private string Data => Path.Combine(_temp.Path, "data");

    /// <summary>Makes a server and waits until it answers.</summary>
    public static Task<PostgresServer> StartAsync(PostgresServerOptions? options = null) =>
        StartAsync(options ?? new(), data => ["initdb", "-D", data, "-A", "trust", "-U", "affinity", "--no-sync", "-E", "UTF8", "--locale=C"]);

    /// <summary>Makes one that follows another over this port of 127.0.0.1, and waits until it answers reads.</summary>
    /// <param name="primary">Where the other one is reached.</param>
    /// <param name="options">Of the new one.</param>
    public static Task<PostgresServer> StartReplicaAsync(int primary, PostgresServerOptions? options = null) => StartAsync(
        options ?? new(),
        data => ["pg_basebackup", "-D", data, "-h", "127.0.0.1", "-p", primary.ToString(CultureInfo.InvariantCulture), "-U", "affinity", "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"]);

    /// <summary>SIGKILL to the server and all its processes at once: what it had not written is lost, as when the machine is.</summary>
    public void Kill()
    {
        var children = Children();
        Process.Kill();
        foreach (var child in children)
        {
            TrySend(child, Signals.Kill);
        }
    }

    /// <summary>Ends the server as an operator does: connections are cut, everything is written.</summary>
    public Task StopAsync()
    {
        Signals.Send(Process.Id, Signals.Interrupt);
        return Process.WaitForExitAsync();
    }

    /// <summary>SIGSTOP to all its processes: connections stay, nothing is answered.</summary>
    public void Freeze()
    {
        Process.Freeze();
        foreach (var child in Children())
        {
            TrySend(child, Signals.Stop);
        }
    }

    /// <summary>SIGCONT: ends <see cref="Freeze"/>.</summary>
    public void Thaw()
    {
        foreach (var child in Children())
        {
            TrySend(child, Signals.Continue);
        }

        Process.Thaw();
    }

    /// <summary>Starts the server again on the same port and directory, after a SIGKILL if it still runs.</summary>
    public async Task RestartAsync()
    {
        if (!Process.HasExited)
        {
            Kill();
        }

        await Process.DisposeAsync();
        await StartProcessAsync();
    }

    /// <summary>Runs a statement over a connection of its own, past the code under test.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The same for one value.</summary>
    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>The processor time of its processes that run now: utime and stime of proc(5), in hundredths of a second.</summary>
    public TimeSpan ProcessorTime() => TimeSpan.FromMilliseconds(10 * Children().Append(Process.Id).Sum(id => StatOf(id) is { Length: > 12 } fields ? long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture) : 0));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            if (!_process.HasExited)
            {
                Kill();
            }

            await _process.DisposeAsync();
        }

        _temp.Dispose();
    }

    private static async Task<PostgresServer> StartAsync(PostgresServerOptions options, Func<string, string[]> make)
    {
        var server = new PostgresServer(options);
        try
        {
            await RunAsync("chown", UnprivilegedUser ?? Environment.UserName, server._temp.Path);
            await RunAsUserAsync(make(server.Data));
            await server.StartProcessAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static string FindUser() => File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    /// <summary>Where the found program really lies: a link to one on the PATH has not all of its neighbours beside it.</summary>
    private static string Program(string name)
    {
        var found = Requirements.PathOf(Needs.Postgres);
        return Path.Combine(Path.GetDirectoryName(File.ResolveLinkTarget(found, returnFinalTarget: true)?.FullName ?? found)!, name);
    }

    /// <summary>The command as whoever may run it. A change of the user takes back that the process dies with the test run (prctl(2)), so it is said again behind it.</summary>
    private static string[] AsUser(string[] words) =>
        UnprivilegedUser is null ? words : ["setpriv", "--reuid", UnprivilegedUser, "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL", "--", .. words];

    private static Task RunAsUserAsync(string[] words) => RunAsync(AsUser([Program(words[0]), .. words[1..]]));

    private static async Task RunAsync(params string[] words)
    {
        await using var process = await ServerProcess.StartAsync(new ServerStart { FileName = words[0], Arguments = words[1..], WorkingDirectory = Path.GetTempPath() });
        if (await process.WaitForExitAsync() is not 0 and var code)
        {
            throw new InvalidOperationException($"{words[0]} ended with code {code}:\n{process.Output}");
        }
    }

    private async Task StartProcessAsync()
    {
        string[] settings =
        [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "max_wal_senders=10", "hot_standby=on", "shared_buffers=32MB", "wal_keep_size=512MB", "wal_retrieve_retry_interval=100ms", "jit=off",
            .. _options.Durable ? Array.Empty<string>() : ["fsync=off", "full_page_writes=off"],
            .. _options.Settings,
        ];
        var words = AsUser([Program("postgres"), "-D", Data, "-p", Port.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(setting => new[] { "-c", setting })]);
        _process = await ServerProcess.StartAsync(new ServerStart { FileName = words[0], Arguments = words[1..], WorkingDirectory = _temp.Path, Ready = new Readiness("an answer to a query", AnswersAsync) });
    }

    private async Task<bool> AnswersAsync(ServerProcess process, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    /// <summary>The server's processes, which have no children of their own.</summary>
    private int[] Children() =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 1 && ParentOf(id) == Process.Id),
    ];

    private static int ParentOf(int id) => StatOf(id) is { Length: > 1 } fields ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;

    /// <summary>What proc(5) says of a process behind its name; nothing of one that has ended.</summary>
    private static string[] StatOf(int id)
    {
        try
        {
            // "12 (name) S 1 …": a name may hold anything, its end is the last bracket.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static void TrySend(int process, int signal)
    {
        try
        {
            Signals.Send(process, signal);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
    }
}
