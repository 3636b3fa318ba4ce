using Affinity.Nodes;
using Affinity.Tickets;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Tickets;

/// <summary>The ticket stage alone in front of an app that the test supplies.</summary>
internal sealed class TicketHost : IAsyncDisposable
{
    private readonly IHost _host;

    private TicketHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public IReadinessCheck Readiness => Services.GetRequiredService<IReadinessCheck>();

    public static async Task<TicketHost> StartAsync(
        RequestDelegate app, ManualTime time, IKeyVault? vault = null, TicketOptions? options = null, ILoggerProvider? logs = null)
    {
        var host = new HostBuilder()
            .ConfigureLogging(logging =>
            {
                logging.SetMinimumLevel(LogLevel.Debug);
                if (logs is not null)
                {
                    logging.AddProvider(logs);
                }
            })
            .ConfigureWebHost(web => web.UseTestServer()
                .ConfigureServices(services =>
                {
                    services.AddSingleton<TimeProvider>(time);
                    services.AddSingleton(options ?? new TicketOptions());
                    services.AddSingleton(new TicketScope(Sample.Application, vault is null ? [Sample.Secret] : []));
                    if (vault is not null)
                    {
                        services.AddSingleton(vault);
                    }

                    services.AddTicketStage();
                })
                .Configure(builder => builder.UseMiddleware<TicketMiddleware>().Run(app)))
            .Build();
        await host.StartAsync();
        return new TicketHost(host);
    }

    /// <summary>A genuine ticket, signed with this host's key.</summary>
    public string Sign(Ticket ticket) =>
        Services.GetRequiredService<TicketCodec>().Encode(ticket, Services.GetRequiredService<ISigningKeys>().Current!);

    public async Task<HttpResponseMessage> GetAsync(params string[] cookies)
    {
        using var client = _host.GetTestClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        foreach (var cookie in cookies)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
        }

        return await client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
