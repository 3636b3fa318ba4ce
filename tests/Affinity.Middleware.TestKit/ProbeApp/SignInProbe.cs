using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Affinity.TestKit.ProbeApp;

/// <summary>Cookie authentication, and nothing else: what every node must accept of every other.</summary>
internal static class SignInProbe
{
    public static void AddTo(WebApplicationBuilder builder) =>
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();

    public static void Map(WebApplication app)
    {
        app.MapPost("/signin", async (HttpContext context, string name) =>
        {
            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], CookieAuthenticationDefaults.AuthenticationScheme);
            await context.SignInAsync(new ClaimsPrincipal(identity));
            return name;
        });
        app.MapPost("/signout", async (HttpContext context) =>
        {
            await context.SignOutAsync();
            return "signed out";
        });
        app.MapGet("/whoami", (HttpContext context) => context.User.Identity is { IsAuthenticated: true, Name: { } name } ? Results.Text(name) : Results.Unauthorized());
    }
}
