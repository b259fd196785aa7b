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

    /// <returns>Null when there is no such process.</returns>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            string tick = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[StartTickField];
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            return new ProcessIdentity(pid, boot, long.Parse(tick, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Kills the process if it is still the same, and waits until it is gone.</summary>
    /// <returns>False when it was gone already.</returns>
    public async Task<bool> KillAsync(CancellationToken cancellationToken)
    {
        if (Of(Pid) != this) return false;

        try
        {
            using var process = Process.GetProcessById(Pid);
            process.Kill();
            await process.WaitForExitAsync(cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It ended by itself in between.
            return false;
        }
    }
}
