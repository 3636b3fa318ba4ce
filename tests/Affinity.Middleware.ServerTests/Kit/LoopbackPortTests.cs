using System.Globalization;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class LoopbackPortTests
{
    [Fact]
    public void No_port_is_handed_out_twice()
    {
        var ports = new int[200];
        Parallel.For(0, ports.Length, i => ports[i] = LoopbackPort.Next());
        Assert.Equal(ports.Length, ports.Distinct().Count());
    }

    [Fact]
    public void No_outgoing_connection_can_be_given_the_port_of_a_server_that_is_down()
    {
        var outgoing = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t', ' ').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        if (outgoing[0] > 14_000)
        {
            Assert.All(Enumerable.Range(0, 50).Select(_ => LoopbackPort.Next()), port => Assert.NotInRange(port, outgoing[0], outgoing[1]));
        }
    }
}
