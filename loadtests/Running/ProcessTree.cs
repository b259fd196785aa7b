using System.Globalization;

namespace Gateway.LoadTests.Running;

/// <summary>What Linux tells of a process and its children.</summary>
internal static class ProcessTree
{
    // USER_HZ is 100 wherever .NET runs.
    private const long TicksPerClock = TimeSpan.TicksPerSecond / 100;

    public static TimeSpan CpuTime(int process) => new(Sum(process, OwnCpuTicks));

    /// <summary>In memory, and nobody else's.</summary>
    public static long MemoryBytes(int process) => Sum(process, its => ProcessFacts.Read(its).MemoryBytes);

    private static long Sum(int process, Func<int, long> measure)
    {
        try
        {
            string children = File.ReadAllText($"/proc/{process}/task/{process}/children");
            return children.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Aggregate(measure(process), (sum, child) => sum + Sum((int)Number(child), measure));
        }
        catch (IOException)
        {
            // It has just ended.
            return 0;
        }
    }

    private static long OwnCpuTicks(int process)
    {
        // After the name, which may hold anything: state first, user and system time as the 12th and 13th.
        string stat = File.ReadAllText($"/proc/{process}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (Number(fields[11]) + Number(fields[12])) * TicksPerClock;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
