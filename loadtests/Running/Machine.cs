namespace Gateway.LoadTests.Running;

/// <summary>What else goes on here: figures of a busy machine are worth less.</summary>
internal static class Machine
{
    /// <summary>Those that want a processor, on the average of one, five and fifteen minutes.</summary>
    public static string LoadAverage =>
        $"load average {string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3])} "
        + $"on {Environment.ProcessorCount} processors";
}
