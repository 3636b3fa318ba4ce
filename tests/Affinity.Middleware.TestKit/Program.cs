using Affinity.TestKit.ProbeApp;

var builder = WebApplication.CreateBuilder(args);
builder.AddAffinity();
SignInProbe.AddTo(builder);

var app = builder.Build();
SignInProbe.Map(app);
SessionProbe.Map(app);
await app.RunAsync();
