using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Affinity.TestKit.ProbeApp;

/// <summary>An app's own cookie authentication, which stands and falls with shared Data Protection keys: <c>/signin?name=</c>, <c>/whoami</c> and <c>/signout</c>; who signs in as <c>operator</c> may command the nodes.</summary>
public static class SignInProbe
{
    /// <summary>The services; before the app is built.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options => options.Cookie.Name = "signin");
        services.AddAuthorization(options => options.AddPolicy("operators", policy => policy.RequireUserName("operator")));
    }

    /// <summary>The paths.</summary>
    public static void Map(WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/signin", (HttpContext context, string name) => context.SignInAsync(
            new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], CookieAuthenticationDefaults.AuthenticationScheme))));
        app.MapGet("/signout", (HttpContext context) => context.SignOutAsync());
        app.MapAffinity("operators");
        app.MapGet("/whoami", (HttpContext context) => context.User.Identity?.Name ?? "nobody");
    }
}
