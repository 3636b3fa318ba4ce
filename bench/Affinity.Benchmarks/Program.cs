using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

if (args is ["postgres-sweep"])
{
    await Affinity.Benchmarks.PostgresSweep.RunAsync();
    return;
}

// In this process: no project is generated and built for each run, so an SDK is all that it takes. The allocations are exact either way; the times are those of a short job.
var config = ManualConfig.Create(DefaultConfig.Instance)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "artifacts"))
    .HideColumns(Column.Job, Column.Toolchain, Column.IterationCount, Column.LaunchCount, Column.WarmupCount, Column.Error, Column.RatioSD);
BenchmarkSwitcher.FromAssembly(typeof(Affinity.Benchmarks.PipelineBenchmarks).Assembly).Run(args, config);
