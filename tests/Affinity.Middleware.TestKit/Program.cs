using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Microsoft.Extensions.Caching.Distributed;

var builder = WebApplication.CreateBuilder(args);
SkewedTime.Add(builder.Services, builder.Configuration);
builder.AddAffinity();
SignInProbe.Add(builder.Services);
if (builder.Configuration["Affinity:Store"] is "Distributed")
{
    builder.Services.AddSingleton<IDistributedCache>(new RedisCacheCommands(builder.Configuration.GetConnectionString("redis")!));
}

var app = builder.Build();
SignInProbe.Map(app);
SessionProbe.Map(app);
HistoryProbe.Map(app);
await app.RunAsync();
