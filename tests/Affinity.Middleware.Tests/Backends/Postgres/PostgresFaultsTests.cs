using Affinity.Backends.Postgres;
using Affinity.Sessions;
using Affinity.Tool;
using Npgsql;
using Xunit;

namespace Affinity.Tests.Backends.Postgres;

public sealed class PostgresFaultsTests
{
    [Theory]
    [InlineData("ERROR", "25006", SessionStoreFault.NotApplied)] // a standby
    [InlineData("ERROR", "40001", SessionStoreFault.NotApplied)] // another isolation level, and somebody was faster
    [InlineData("ERROR", "40P01", SessionStoreFault.NotApplied)]
    [InlineData("ERROR", "42P01", SessionStoreFault.NotApplied)] // the tables are gone
    [InlineData("ERROR", "42501", SessionStoreFault.NotApplied)]
    [InlineData("ERROR", "53100", SessionStoreFault.NotApplied)] // the disk is full
    [InlineData("ERROR", "22P02", SessionStoreFault.Unreadable)]
    [InlineData("ERROR", "23514", SessionStoreFault.Unreadable)]
    [InlineData("ERROR", "57014", SessionStoreFault.Ambiguous)] // cancelled
    [InlineData("ERROR", "40003", SessionStoreFault.Ambiguous)]
    [InlineData("FATAL", "57P01", SessionStoreFault.Ambiguous)] // terminated, perhaps while its commit waited for a standby
    [InlineData("FATAL", "25P03", SessionStoreFault.Ambiguous)]
    [InlineData("PANIC", "53100", SessionStoreFault.Ambiguous)]
    public void What_the_server_says_tells_whether_a_call_may_have_taken_effect(string severity, string state, SessionStoreFault fault) =>
        Assert.Equal(fault, PostgresFaults.Classify(new PostgresException("of the key abc", severity, severity, state)));

    [Fact]
    public void What_was_not_sent_was_not_applied_and_of_the_rest_nobody_knows()
    {
        Assert.Equal(SessionStoreFault.NotApplied, PostgresFaults.Classify(new PostgresNotReadyException("away")));
        Assert.Equal(SessionStoreFault.Ambiguous, PostgresFaults.Classify(new NpgsqlException("reset")));
        Assert.Equal(SessionStoreFault.Ambiguous, PostgresFaults.Classify(new IOException()));
    }

    [Fact]
    public void What_is_told_repeats_nothing_of_what_the_server_says() =>
        Assert.DoesNotContain("abc", PostgresFaults.Describe(new PostgresException("of the key abc", "ERROR", "ERROR", "22P02")), StringComparison.Ordinal);

    [Fact]
    public async Task The_tool_prints_the_script_for_a_schema_and_refuses_what_is_no_name()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());

        Assert.Equal(0, await SchemaCommand.RunAsync(["schema", "postgres", "--schema", "affinity_shop"], output, errors));
        Assert.Equal(2, await SchemaCommand.RunAsync(["schema", "postgres", "--schema", "x; DROP SCHEMA public"], output, errors));
        Assert.Equal(2, await SchemaCommand.RunAsync(["schema", "mysql", "--schema", "affinity_shop"], output, errors));

        Assert.StartsWith("BEGIN;", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("CREATE SCHEMA IF NOT EXISTS affinity_shop;", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("«", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("DROP", errors.ToString(), StringComparison.Ordinal);
    }
}
