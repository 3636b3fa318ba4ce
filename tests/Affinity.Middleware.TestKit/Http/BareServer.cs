using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.TestKit;

/// <summary>
/// A server without a network, for figures: a request is a call on the caller's thread, and what a real server keeps from request to request is kept here too, so that what is left is the app's and the
/// middleware's. For one request at a time; bodies are thrown away.
/// </summary>
public sealed class BareServer : IServer
{
    private readonly Request _request = new();
    private readonly Response _response = new();
    private readonly FeatureCollection _features = new();
    private readonly Type[] _own;
    private Type[]? _foreign;
    private Func<IFeatureCollection, Task>? _application;

    /// <summary>A server to be registered as the app's <see cref="IServer"/>.</summary>
    public BareServer()
    {
        Features.Set<IServerAddressesFeature>(new ServerAddresses());
        _features.Set<IHttpRequestFeature>(_request);
        _features.Set<IHttpResponseFeature>(_response);
        _features.Set<IHttpResponseBodyFeature>(_response);
        _features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature());
        _own = [.. _features.Select(feature => feature.Key)];
    }

    /// <inheritdoc/>
    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>The status of the last response.</summary>
    public int Status => _response.StatusCode;

    /// <summary>Name and value of the cookies that the last response set, as a browser sends them back.</summary>
    public string Cookies => string.Join("; ", _response.Headers.SetCookie.Select(line => line!.Split(';')[0]));

    /// <summary>GETs a path. The task is complete at once if nothing waited.</summary>
    [SuppressMessage("Design", "CA1054", Justification = "A path.")]
    public async Task GetAsync(string path, string cookies)
    {
        _request.Path = path;
        _request.Headers.Clear();
        if (cookies.Length > 0)
        {
            _request.Headers.Cookie = cookies;
        }

        _response.Reset();
        await (_application ?? throw new InvalidOperationException("Start the app first."))(_features);

        // As Kestrel does, whose collection keeps its room.
        foreach (var feature in _foreign ??= [.. _features.Select(feature => feature.Key).Except(_own)])
        {
            _features[feature] = null;
        }
    }

    /// <inheritdoc/>
    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        _application = async features =>
        {
            var context = application.CreateContext(features);
            try
            {
                await application.ProcessRequestAsync(context);
                await _response.StartAsync();
            }
            finally
            {
                application.DisposeContext(context, exception: null);
            }
        };
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class ServerAddresses : IServerAddressesFeature
    {
        public ICollection<string> Addresses { get; } = [];

        public bool PreferHostingUrls { get; set; }

    }

    private sealed class Request : HttpRequestFeature
    {
        public Request() => (Method, Protocol, Scheme) = ("GET", "HTTP/1.1", "http");
    }

    private sealed class Response : IHttpResponseFeature, IHttpResponseBodyFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _onStarting = new();

        public int StatusCode { get; set; } = StatusCodes.Status200OK;

        public string? ReasonPhrase { get; set; }

        public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

        public Stream Body { get; set; } = Stream.Null;

        public bool HasStarted { get; private set; }

        public Stream Stream => Stream.Null;

        public PipeWriter Writer { get; } = PipeWriter.Create(Stream.Null);

        public void Reset()
        {
            _onStarting.Clear();
            Headers.Clear();
            (HasStarted, StatusCode) = (false, StatusCodes.Status200OK);
        }

        public void OnStarting(Func<object, Task> callback, object state) => _onStarting.Push((callback, state));

        public void OnCompleted(Func<object, Task> callback, object state)
        {
        }

        public async Task StartAsync(CancellationToken cancellationToken = default)
        {
            while (!HasStarted && _onStarting.TryPop(out var next))
            {
                await next.Callback(next.State);
            }

            HasStarted = true;
        }

        public Task CompleteAsync() => StartAsync();

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException("No files here.");
    }
}
