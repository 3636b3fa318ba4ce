using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Affinity.Tests.Documentation.Snippets;

/// <summary>What the documents show of Data Protection.</summary>
internal static class KeySnippets
{
    public static void Protect(WebApplicationBuilder builder, X509Certificate2 certificate)
    {
        // snippet: protected keys
        builder.Services.AddDataProtection().ProtectKeysWithCertificate(certificate);
        // end
    }

    public static void Revoke(WebApplication app)
    {
        // snippet: revocation
        app.Services.GetRequiredService<IKeyManager>().RevokeAllKeys(DateTimeOffset.UtcNow, reason: "The store was read by others.");
        // end
    }
}
