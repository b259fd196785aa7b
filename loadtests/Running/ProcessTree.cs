using System.Globalization;

namespace Gateway.LoadTests.Running;

/// <summary>What Linux tells of a process and its children.</summary>
internal static class ProcessTree
{
    // USER_HZ is 100 wherever .NET runs.
    private const long TicksPerClock = TimeSpan.TicksPerSecond / 100;

    public static TimeSpan CpuTime(int process)
    {
        try
        {
            // After the name, which may hold anything: state first, user and system time as the 12th and 13th.
            string stat = File.ReadAllText($"/proc/{process}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            long clocks = Number(fields[11]) + Number(fields[12]);
            string children = File.ReadAllText($"/proc/{process}/task/{process}/children");
            return children.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Aggregate(new TimeSpan(clocks * TicksPerClock), (sum, child) => sum + CpuTime((int)Number(child)));
        }
        catch (IOException)
        {
            // It has just ended.
            return TimeSpan.Zero;
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
