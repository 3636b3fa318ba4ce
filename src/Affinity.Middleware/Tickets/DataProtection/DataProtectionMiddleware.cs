using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Affinity.Tickets;

/// <summary>Before authentication: a request whose cookies name an unknown Data Protection key waits, without a thread, until this node has read the vault.</summary>
internal sealed class DataProtectionMiddleware(RequestDelegate next, UnknownKeys unknown, IOptions<KeyManagementOptions> options)
{
    private readonly bool _keysAreOurs = options.Value.XmlRepository is KeyVaultXmlRepository;
    private readonly Func<Guid, bool> _isUnknown = unknown.IsWorthReading;

    public Task InvokeAsync(HttpContext context)
    {
        var cookies = context.Request.Headers.Cookie;
        return _keysAreOurs && cookies.Count > 0 && UnknownKeyScan.Find(cookies, _isUnknown) is { } keyIds ? CatchUpAsync(context, keyIds) : next(context);
    }

    private async Task CatchUpAsync(HttpContext context, List<Guid> keyIds)
    {
        await unknown.CatchUpAsync(keyIds, context.RequestAborted);
        await next(context);
    }
}
