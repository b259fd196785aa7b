using System.Diagnostics;
using System.Globalization;

namespace Gateway.Engine;

/// <summary>
/// A process, told from a later one that was given the same id: by the boot of the machine, and the clock tick since
/// that boot at which it started, as Linux counts them.
/// </summary>
internal sealed record ProcessIdentity(int Pid, string Boot, long StartTick)
{
    /// <summary>In /proc/pid/stat, counted after the name in brackets, which may itself hold spaces.</summary>
    private const int StartTickField = 19;

    private static readonly TimeSpan ExitPoll = TimeSpan.FromMilliseconds(20);

    /// <returns>Null when there is no such process, or only what is left of one until its parent looks.</returns>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (fields[0] is "Z" or "X") return null;

            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            return new ProcessIdentity(pid, boot, long.Parse(fields[StartTickField], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Kills the process if it is still the same, and waits until it is gone.</summary>
    /// <returns>False when it was gone already.</returns>
    /// <exception cref="EngineException">It is still there after <paramref name="patience"/>.</exception>
    public async Task<bool> KillAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Of(Pid) != this) return false;

        try
        {
            using var process = Process.GetProcessById(Pid);
            process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It ended by itself in between.
            return false;
        }

        // Not Process.WaitForExitAsync: what another process's child leaves behind has not exited to it.
        long killed = time.GetTimestamp();
        while (Of(Pid) == this)
        {
            if (time.GetElapsedTime(killed) > patience) throw new EngineException($"Process {Pid} cannot be killed.");
            await Task.Delay(ExitPoll, time, cancellationToken);
        }

        return true;
    }
}
