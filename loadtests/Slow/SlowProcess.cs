using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.LoadTests.Slow;

/// <summary>What a kind of slow connections came to.</summary>
internal sealed record SlowFigures(string Kind, int Closed, double WorstSeconds, int Late, int Refused);

/// <summary><see cref="SlowClient"/> in its own process, which ends with its input, and so with us.</summary>
internal sealed partial class SlowProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;

    private SlowProcess(Process process) => _process = process;

    /// <summary>Returns when all of them hold their connection.</summary>
    /// <exception cref="InvalidOperationException">It ended before that, or it took too long.</exception>
    public static async Task<SlowProcess> StartAsync(
        Uri gateway, string token, int count, CancellationToken cancellationToken)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Gateway.LoadTests.dll");
        string number = count.ToString(CultureInfo.InvariantCulture);
        var process = Process.Start(new ProcessStartInfo(
            "dotnet", [program, "slow-client", gateway.ToString(), token, number])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var slow = new SlowProcess(process);
        try
        {
            string? line = await process.StandardOutput.ReadLineAsync(cancellationToken).AsTask()
                .WaitAsync(StartLimit, cancellationToken);
            if (line?.StartsWith(SlowClient.Holding, StringComparison.Ordinal) == true) return slow;

            throw new InvalidOperationException($"The slow clients ended: {line}");
        }
        catch (Exception error)
        {
            slow.Dispose();
            if (error is not TimeoutException) throw;
            throw new InvalidOperationException(
                $"After {StartLimit.TotalSeconds:0} s the slow clients did not hold {count} connections.");
        }
    }

    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Lets all go; what became of them, every kind once.</summary>
    /// <exception cref="InvalidOperationException">It had died, or did not tell of every kind.</exception>
    public async Task<List<SlowFigures>> StopAsync(CancellationToken cancellationToken)
    {
        _process.StandardInput.Close();
        string said = await _process.StandardOutput.ReadToEndAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        List<SlowFigures> ends = [.. Line().Matches(said).Select(match => new SlowFigures(
            match.Groups[1].Value,
            Whole(match.Groups[2]),
            double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture),
            Whole(match.Groups[4]),
            Whole(match.Groups[5])))];
        if (_process.ExitCode == 0 && ends.Count == SlowConnection.Kinds.Length) return ends;

        // Nobody was slow any more, so what was measured beside them says nothing.
        throw new InvalidOperationException(
            $"The slow clients ended with {_process.ExitCode} and told of {ends.Count} kinds.");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private static int Whole(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"closed (\w+) (\d+) worst ([0-9.]+) late (\d+) refused (\d+)")]
    private static partial Regex Line();
}
