using System.Net;
using System.Net.Sockets;
using System.Text;
using Affinity.Nodes;
using Affinity.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Nodes;

/// <summary>Real sockets, and a clock that a test moves.</summary>
public sealed class AgentCheckListenerTests : IDisposable
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private readonly ManualTime _time = new();
    private readonly List<Socket> _clients = [];
    private readonly AgentCheckListener _listener;
    private string _word = "ready up 100%";

    public AgentCheckListenerTests()
    {
        _listener = new(() => _word, _time, NullLogger.Instance);
        _listener.Start(AnyPort);
    }

    [Fact]
    public async Task Whoever_connects_hears_one_line_and_the_end()
    {
        Assert.Equal("ready up 100%\n", await HearAsync(await ConnectAsync()));
        _word = "drain up";
        Assert.Equal("drain up\n", await HearAsync(await ConnectAsync()));
    }

    [Fact]
    public async Task What_the_client_sends_is_ignored()
    {
        var client = await ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes("be/node-a\n"));
        Assert.Equal("ready up 100%\n", await HearAsync(client));
    }

    [Fact]
    public async Task A_client_that_sends_without_end_is_cut_off_and_the_next_one_is_answered()
    {
        var client = await ConnectAsync();
        var junk = new byte[64 * 1024];
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                await client.SendAsync(junk).WaitAsync(TimeSpan.FromSeconds(10));
            }
        });
        Assert.Equal("ready up 100%\n", await HearAsync(await ConnectAsync()));
    }

    [Fact]
    public async Task A_client_that_stalls_is_dropped_after_a_second()
    {
        await ConnectAsync();
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal(1, _listener.Waiting);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(SpinWait.SpinUntil(() => _listener.Waiting == 0, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task However_many_stall_each_one_and_everybody_else_hears_the_line()
    {
        var stalled = new List<Socket>();
        for (var i = 0; i < 10 * AgentCheckListener.MaxWaiting; i++)
        {
            stalled.Add(await ConnectAsync());
        }

        Assert.Equal("ready up 100%\n", await HearAsync(await ConnectAsync()));
        Assert.InRange(_time.ArmedTimers, 0, AgentCheckListener.MaxWaiting);
        foreach (var client in stalled)
        {
            Assert.Equal("ready up 100%\n", await HearAsync(client));
        }
    }

    [Fact]
    public async Task Clients_that_reset_their_connection_are_nobodys_problem()
    {
        for (var i = 0; i < 200; i++)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(enable: true, 0) };
            await client.ConnectAsync(_listener.EndPoint!);
        }

        Assert.Equal("ready up 100%\n", await HearAsync(await ConnectAsync()));
    }

    [Fact]
    public async Task After_the_stop_the_port_is_free_also_with_clients_that_stall()
    {
        await ConnectAsync();
        var taken = (IPEndPoint)_listener.EndPoint!;
        await _listener.StopAsync();
        await Assert.ThrowsAsync<SocketException>(ConnectAsync);
        using var next = new AgentCheckListener(() => "", _time, NullLogger.Instance);
        next.Start(taken);
        await next.StopAsync();
    }

    [Fact]
    public void A_port_that_is_taken_names_the_option_and_the_cure()
    {
        using var second = new AgentCheckListener(() => "", _time, NullLogger.Instance);
        var fault = Assert.Throws<InvalidOperationException>(() => second.Start((IPEndPoint)_listener.EndPoint!));
        Assert.Contains($"{_listener.EndPoint} (AddressAlreadyInUse)", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Affinity:AgentCheck:Port", fault.Message, StringComparison.Ordinal);
        Assert.Contains("agent-port", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_of_another_machine_names_the_option_and_the_cure()
    {
        using var second = new AgentCheckListener(() => "", _time, NullLogger.Instance);
        var fault = Assert.Throws<InvalidOperationException>(() => second.Start(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0)));
        Assert.Contains("Affinity:AgentCheck:Address", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        _listener.Dispose();
    }

    private static async Task<string> HearAsync(Socket client)
    {
        var text = new StringBuilder();
        var buffer = new byte[256];
        int heard;
        while ((heard = await client.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(10))) > 0)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, heard));
        }

        return text.ToString();
    }

    private async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        await client.ConnectAsync(_listener.EndPoint!);
        return client;
    }
}
