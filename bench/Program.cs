using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Gateway.Bench;
using Perfolizer.Horology;

// dotnet run --project bench -c Release -- --filter '*Token*'; or `make bench FILTER='*Token*'`.
var results = new Results(args);

// Short enough for all of it to end in some minutes; --iterationCount and its like on the command line change it.
var job = Job.Default
    .WithId("Bench")
    .WithWarmupCount(5)
    .WithIterationCount(10)
    .WithIterationTime(TimeInterval.FromMilliseconds(200))
    .AsDefault();
var config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(job)
    .WithArtifactsPath(results.ArtifactsFolder)
    .WithBuildTimeout(TimeSpan.FromMinutes(10));

var summaries = BenchmarkSwitcher.FromAssembly(typeof(Results).Assembly).Run(args, config);
return results.Write([.. summaries]) ? 0 : 1;
