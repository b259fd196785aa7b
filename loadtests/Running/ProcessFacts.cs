using System.Globalization;

namespace Gateway.LoadTests.Running;

/// <summary>What Linux tells of one process, its children aside.</summary>
/// <param name="MemoryBytes">In memory and its own: no file's and nobody else's.</param>
/// <param name="Handles">Open files, sockets and the like.</param>
/// <param name="Threads">Of the system.</param>
internal readonly record struct ProcessFacts(long MemoryBytes, int Handles, int Threads)
{
    public static ProcessFacts Read(int process)
    {
        string[] status = File.ReadAllLines($"/proc/{process}/status");
        return new ProcessFacts(
            Number(status, "RssAnon:") * 1024,
            Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Count(),
            (int)Number(status, "Threads:"));
    }

    /// <summary>The .NET program that was started with this argument.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static int Find(string argument)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(name => char.IsDigit(name[^1])))
        {
            try
            {
                string[] command = File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0');
                if (command[0] == "dotnet" && command.Contains(argument))
                    return int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        throw new InvalidOperationException($"No program was started with {argument}.");
    }

    private static long Number(string[] status, string name)
    {
        string line = status.First(line => line.StartsWith(name, StringComparison.Ordinal));
        string value = line[name.Length..].Replace("kB", "", StringComparison.Ordinal);
        return long.Parse(value, CultureInfo.InvariantCulture);
    }
}

/// <summary>
/// Samples of a process over time. What they come to is told by medians of many samples at the start and at the end:
/// a garbage collector's memory goes up and down all the time.
/// </summary>
internal sealed class ProcessHistory
{
    private const double WindowShare = 0.2;

    private readonly List<ProcessFacts> _samples = [];

    public ProcessFacts First => Median(_samples[..Window]);

    public ProcessFacts Last => Median(_samples[^Window..]);

    public long MostMemoryBytes => _samples.Max(sample => sample.MemoryBytes);

    /// <summary>0.05: at the end it holds 5 % more than at the start.</summary>
    public double MemoryGrowth => ((double)Last.MemoryBytes / First.MemoryBytes) - 1;

    public int HandleGrowth => Last.Handles - First.Handles;

    public int ThreadGrowth => Last.Threads - First.Threads;

    private int Window => Math.Max(1, (int)(_samples.Count * WindowShare));

    /// <summary>Samples until it is cancelled.</summary>
    public async Task SampleAsync(int process, TimeSpan every, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            _samples.Add(ProcessFacts.Read(process));
            await Task.Delay(every, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static ProcessFacts Median(List<ProcessFacts> samples) => new(
        Middle(samples.Select(sample => sample.MemoryBytes)),
        (int)Middle(samples.Select(sample => (long)sample.Handles)),
        (int)Middle(samples.Select(sample => (long)sample.Threads)));

    private static long Middle(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
