using BenchmarkDotNet.Attributes;

namespace Affinity.Benchmarks;

/// <summary>A whole request without a network, beside the same app without Affinity: the difference is what Affinity costs.</summary>
public class PipelineBenchmarks
{
    private InProcessApp _noop = null!;
    private InProcessApp _affinity = null!;
    private string _cookies = "";

    // The in-process toolchain does not wait for an asynchronous one.
    [GlobalSetup]
    public void Begin() => BeginAsync().GetAwaiter().GetResult();

    private async Task BeginAsync()
    {
        _noop = await InProcessApp.StartAsync(hasAffinity: false);
        _affinity = await InProcessApp.StartAsync(hasAffinity: true);
        await _affinity.SendAsync("/write", cookies: "");
        _cookies = _affinity.CookiesOfLastAnswer;
        await _affinity.SendAsync("/read", _cookies);
        if (_cookies.Length == 0 || _affinity.ItemsRead == 0 || _affinity.CookiesOfLastAnswer.Length > 0)
        {
            throw new InvalidOperationException("The session is not found again, or the answer to a read sets a cookie.");
        }
    }

    [Benchmark(Baseline = true)]
    public Task Noop() => _noop.SendAsync("/untouched", _cookies);

    [Benchmark]
    public Task Anonymous() => _affinity.SendAsync("/untouched", cookies: "");

    [Benchmark]
    public Task Untouched() => _affinity.SendAsync("/untouched", _cookies);

    [Benchmark]
    public Task Read() => _affinity.SendAsync("/read", _cookies);

    [Benchmark]
    public Task Write() => _affinity.SendAsync("/write", _cookies);

    [GlobalCleanup]
    public void End() => EndAsync().GetAwaiter().GetResult();

    private async Task EndAsync()
    {
        await _noop.DisposeAsync();
        await _affinity.DisposeAsync();
    }
}
