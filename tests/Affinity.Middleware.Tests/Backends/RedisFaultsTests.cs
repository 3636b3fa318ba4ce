using Affinity.Backends.Redis;
using Affinity.Sessions;
using StackExchange.Redis;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class RedisFaultsTests
{
    [Theory]
    [InlineData("LOADING Redis is loading the dataset in memory")]
    [InlineData("READONLY You can't write against a read only replica. script: 00, on @user_script:1.")]
    [InlineData("MOVED 3999 127.0.0.1:6381")]
    [InlineData("ASK 3999 127.0.0.1:6381")]
    [InlineData("CLUSTERDOWN Hash slot not served")]
    [InlineData("NOREPLICAS Not enough good replicas to write.")]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.")]
    [InlineData("MISCONF Redis is configured to save RDB snapshots")]
    [InlineData("BUSY Redis is busy running a script.")]
    [InlineData("NOSCRIPT No matching script. Please use EVAL.")]
    [InlineData("TRYAGAIN Multiple keys request during rehashing of slot")]
    [InlineData("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")]
    [InlineData("NOAUTH Authentication required.")]
    [InlineData("ERR Error running script (call to f_00): @user_script:7: @user_script: 7: -READONLY You can't write against a read only replica.")]
    [InlineData("ERR BADARGUMENTS nothing was done")]
    public void What_a_server_refuses_before_it_changes_anything_was_not_applied(string message) =>
        Assert.Equal(SessionStoreFault.NotApplied, RedisFaults.ClassifyReply(message));

    [Theory]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value")]
    [InlineData("ERR Lua encountered an error: WRONGTYPE Operation against a key holding the wrong kind of value.")]
    public void A_key_of_another_type_is_unreadable(string message) =>
        Assert.Equal(SessionStoreFault.Unreadable, RedisFaults.ClassifyReply(message));

    [Theory]
    [InlineData("ERR something new")]
    [InlineData("ERR key OOMPH is odd")]
    [InlineData("")]
    public void Any_other_refusal_is_ambiguous(string message) =>
        Assert.Equal(SessionStoreFault.Ambiguous, RedisFaults.ClassifyReply(message));

    [Theory]
    [InlineData(ConnectionFailureType.SocketClosed)]
    [InlineData(ConnectionFailureType.SocketFailure)]
    [InlineData(ConnectionFailureType.InternalFailure)]
    [InlineData(ConnectionFailureType.ProtocolFailure)]
    [InlineData(ConnectionFailureType.UnableToConnect)]
    public void A_lost_connection_is_ambiguous(ConnectionFailureType type) =>
        Assert.Equal(SessionStoreFault.Ambiguous, RedisFaults.ClassifyFailure(type));

    [Fact]
    public void A_command_that_was_never_sent_was_not_applied()
    {
        Assert.Equal(SessionStoreFault.NotApplied, RedisFaults.ClassifyFailure(ConnectionFailureType.UnableToResolvePhysicalConnection));
        Assert.Equal(SessionStoreFault.NotApplied, RedisFaults.Classify(new RedisNotConnectedException(new InvalidOperationException())));
        Assert.Equal(SessionStoreFault.NotApplied, RedisFaults.Classify(new ObjectDisposedException("multiplexer")));
    }

    /// <summary>"ERR", and so ambiguous, was what sessions of a dead shard failed with: each write was asked about again although nothing could have been done.</summary>
    [Theory]
    [InlineData("Endpoint 127.0.0.1:7002 serving hashslot 7941 is not reachable at this point of time. Please check connectTimeout value.", true)]
    [InlineData("Endpoint is not reachable at this point of time. Please check connectTimeout value.", true)]
    [InlineData("Key has MOVED to Endpoint 127.0.0.1:7002 and hashslot 7941 but CommandFlags.NoRedirect was specified", true)]
    [InlineData("Key has MOVED but CommandFlags.NoRedirect was specified - redirect not followed. ", true)]
    [InlineData("ERR Endpoint", false)]
    [InlineData("Endpoint 127.0.0.1:7002 closed the connection", false)]
    [InlineData("", false)]
    public void A_redirection_that_the_client_did_not_follow_is_known_by_its_text(string message, bool expected) => Assert.Equal(expected, RedisFaults.IsRedirection(message));

    [Fact]
    public void A_time_out_and_anything_unknown_are_ambiguous()
    {
        Assert.Equal(SessionStoreFault.Ambiguous, RedisFaults.Classify(new TimeoutException()));
        Assert.Equal(SessionStoreFault.Ambiguous, RedisFaults.Classify(new InvalidOperationException()));
    }

    [Theory]
    [InlineData("OOM command not allowed: affinity:s:key", "OOM")]
    [InlineData("ERR Lua encountered an error: WRONGTYPE affinity:s:key", "WRONGTYPE")]
    [InlineData("SURPRISE affinity:s:key", "ERR")]
    public void Of_what_a_server_says_only_a_known_code_is_repeated(string message, string code) => Assert.Equal(code, RedisFaults.CodeOf(message));
}
