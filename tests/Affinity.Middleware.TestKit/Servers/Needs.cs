namespace Affinity.TestKit;

/// <summary>Programs that a test drives and that the .NET SDK does not bring.</summary>
[Flags]
public enum Needs
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>redis-server.</summary>
    Redis = 1,

    /// <summary>Garnet, from the repository's tool manifest.</summary>
    Garnet = 2,

    /// <summary>haproxy.</summary>
    Haproxy = 4,

    /// <summary>nginx.</summary>
    Nginx = 8,

    /// <summary>caddy.</summary>
    Caddy = 16,

    /// <summary>chromium.</summary>
    Chromium = 32,

    /// <summary>apache2.</summary>
    Apache = 64,

    /// <summary>varnishd.</summary>
    Varnish = 128,

    /// <summary>initdb, postgres and pg_basebackup.</summary>
    Postgres = 256,
}
