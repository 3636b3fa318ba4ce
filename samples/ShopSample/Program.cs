using Microsoft.AspNetCore.Authentication.Cookies;
using ShopSample;

var builder = WebApplication.CreateBuilder(args);
builder.AddAffinity(); // The one line: from here on, any instance can serve any visitor.

builder.WebHost.UseStaticWebAssets(); // so that the build output serves them too, not only a published app
builder.Services.AddRazorPages().AddSessionStateTempDataProvider();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(o => o.LoginPath = "/signin");
builder.Services.AddShopApi();

var app = builder.Build();
app.UseSecurityHeaders();
app.UseShopErrors();
app.MapStaticAssets();
app.MapRazorPages().WithStaticAssets();
app.MapShopApi();
if (app.Environment.IsDevelopment())
{
    app.MapAffinity(); // GET /affinity/nodes; a real shop names an authorization policy instead
}

await app.RunAsync();
