using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>A route cookie may hold an address that anybody can have written: nothing in the stage that reads it may ever connect to one, or look one up.</summary>
public sealed partial class OutgoingConnectionTests
{
    [Fact]
    public void The_stage_that_reads_the_route_cookie_cannot_open_a_connection()
        => Convention.Holds(
            "Stickiness may name nothing that opens a connection or asks a name server.",
            SourceTree.Files.Where(file => file.Folder.Split('/')[0] == "Stickiness").SelectMany(file => file.Find(Connection(), file.Names)));

    [Theory]
    [InlineData("using System.Net.Http;")]
    [InlineData("using System.Net.Sockets;")]
    [InlineData("new Socket(family, type, protocol)")]
    [InlineData("new TcpClient()")]
    [InlineData("IHttpClientFactory clients")]
    [InlineData("await Dns.GetHostAddressesAsync(name)")]
    [InlineData("WebRequest.Create(address)")]
    public void What_opens_one_is_found(string code) => Assert.NotEmpty(new SourceFile("Stickiness/Dialects/X.cs", code).Find(Connection(), code));

    [GeneratedRegex(@"\bSystem\.Net\.(Http|Sockets|Security|Quic|NetworkInformation|WebSockets|Mail)\b|\b\w*(Socket|SocketsHttp|HttpClient|HttpMessage|TcpClient|UdpClient|NetworkStream|SslStream|QuicConnection|NamedPipe|WebRequest|WebClient|SmtpClient)\w*|\b(Dns|Ping)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex Connection();
}
