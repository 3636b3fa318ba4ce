using System.Collections;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.Benchmarks;

/// <summary>One request and its response, used again for the next, as Kestrel does with a connection's.</summary>
internal sealed class InProcessRequest : IFeatureCollection, IHttpRequestFeature, IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestLifetimeFeature, IHttpConnectionFeature
{
    private readonly List<KeyValuePair<Type, object>> _extra = [];
    private readonly List<(Func<object, Task> Call, object State)> _onStarting = [];
    private readonly List<(Func<object, Task> Call, object State)> _onCompleted = [];
    private readonly StreamResponseBodyFeature _nowhere = new(Stream.Null);

    public IHeaderDictionary RequestHeaders { get; } = new HeaderDictionary();

    public IHeaderDictionary ResponseHeaders { get; } = new HeaderDictionary();

    public bool HasStarted { get; private set; }

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    string IHttpRequestFeature.Protocol { get; set; } = "HTTP/1.1";

    string IHttpRequestFeature.Scheme { get; set; } = "https";

    string IHttpRequestFeature.Method { get; set; } = "GET";

    string IHttpRequestFeature.PathBase { get; set; } = "";

    string IHttpRequestFeature.Path { get; set; } = "/";

    string IHttpRequestFeature.QueryString { get; set; } = "";

    string IHttpRequestFeature.RawTarget { get; set; } = "/";

    IHeaderDictionary IHttpRequestFeature.Headers { get => RequestHeaders; set => throw new NotSupportedException(); }

    Stream IHttpRequestFeature.Body { get; set; } = Stream.Null;

    int IHttpResponseFeature.StatusCode { get; set; } = 200;

    string? IHttpResponseFeature.ReasonPhrase { get; set; }

    IHeaderDictionary IHttpResponseFeature.Headers { get => ResponseHeaders; set => throw new NotSupportedException(); }

    Stream IHttpResponseFeature.Body { get; set; } = Stream.Null;

    Stream IHttpResponseBodyFeature.Stream => Stream.Null;

    PipeWriter IHttpResponseBodyFeature.Writer => _nowhere.Writer;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted { get; set; }

    string IHttpConnectionFeature.ConnectionId { get; set; } = "bench";

    IPAddress? IHttpConnectionFeature.RemoteIpAddress { get; set; } = IPAddress.Loopback;

    IPAddress? IHttpConnectionFeature.LocalIpAddress { get; set; } = IPAddress.Loopback;

    int IHttpConnectionFeature.RemotePort { get; set; }

    int IHttpConnectionFeature.LocalPort { get; set; }

    public object? this[Type key] { get => Find(key); set => Put(key, value); }

    public void Reset(string path, string cookies)
    {
        _extra.Clear();
        _onStarting.Clear();
        _onCompleted.Clear();
        RequestHeaders.Clear();
        ResponseHeaders.Clear();
        HasStarted = false;
        Revision++;
        ((IHttpResponseFeature)this).StatusCode = StatusCodes.Status200OK;
        ((IHttpRequestFeature)this).Path = path;
        RequestHeaders.Host = "localhost";
        if (cookies.Length > 0)
        {
            RequestHeaders.Cookie = cookies;
        }
    }

    /// <summary>The last one registered runs first.</summary>
    public async Task FireOnStartingAsync()
    {
        for (var i = _onStarting.Count - 1; i >= 0 && !HasStarted; i--)
        {
            await _onStarting[i].Call(_onStarting[i].State);
        }

        HasStarted = true;
    }

    public async Task FireOnCompletedAsync()
    {
        for (var i = _onCompleted.Count - 1; i >= 0; i--)
        {
            await _onCompleted[i].Call(_onCompleted[i].State);
        }
    }

    public void OnStarting(Func<object, Task> callback, object state) => _onStarting.Add((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _onCompleted.Add((callback, state));

    public Task StartAsync(CancellationToken cancellationToken = default) => FireOnStartingAsync();

    public Task CompleteAsync() => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void DisableBuffering()
    {
    }

    public void Abort()
    {
    }

    public TFeature? Get<TFeature>() => (TFeature?)Find(typeof(TFeature));

    public void Set<TFeature>(TFeature? instance) => Put(typeof(TFeature), instance);

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _extra.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private object? Find(Type key)
    {
        foreach (var (type, feature) in _extra)
        {
            if (type == key)
            {
                return feature;
            }
        }

        return key.IsInstanceOfType(this) && key != typeof(IFeatureCollection) ? this : null;
    }

    private void Put(Type key, object? value)
    {
        Revision++;
        for (var i = _extra.Count - 1; i >= 0; i--)
        {
            if (_extra[i].Key == key)
            {
                _extra.RemoveAt(i);
            }
        }

        if (value is not null)
        {
            _extra.Add(new(key, value));
        }
    }
}
