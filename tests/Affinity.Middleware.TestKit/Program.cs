using Affinity.TestKit.ProbeApp;

var builder = WebApplication.CreateBuilder(args);
SkewedTime.Add(builder.Services, builder.Configuration);
builder.AddAffinity();
SignInProbe.Add(builder.Services);

var app = builder.Build();
SignInProbe.Map(app);
SessionProbe.Map(app);
HistoryProbe.Map(app);
await app.RunAsync();
