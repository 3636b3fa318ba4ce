using Affinity.TestKit.ProbeApp;

var builder = WebApplication.CreateBuilder(args);
SkewedTime.Add(builder.Services, builder.Configuration);
CacheProbe.Add(builder.Services, builder.Configuration);
if (CacheProbe.IsFramework(builder.Configuration))
{
    CacheProbe.AddFramework(builder.Services, builder.Configuration);
    var old = builder.Build();
    old.UseSession();
    SessionProbe.Map(old);
    CacheProbe.Map(old);
    await old.RunAsync();
    return;
}

builder.AddAffinity();
CacheProbe.ShareKeys(builder.Services, builder.Configuration);
SignInProbe.Add(builder.Services);

var app = builder.Build();
SignInProbe.Map(app);
SessionProbe.Map(app);
HistoryProbe.Map(app);
CacheProbe.Map(app);
await app.RunAsync();
