namespace Gateway.Tenancy;

/// <summary>What erasing says: changes of state only.</summary>
internal static partial class ErasureLog
{
    [LoggerMessage(LogLevel.Warning, "{Work} stands still and is tried again. {Reason}")]
    public static partial void Stalled(ILogger logger, string work, string reason);

    [LoggerMessage(LogLevel.Information, "{Work} goes on, after {Failures} failed tries.")]
    public static partial void Resumed(ILogger logger, string work, int failures);

    [LoggerMessage(LogLevel.Information,
        "Nothing is left of {Projects} deleted projects; {Rows} stored rows were erased.")]
    public static partial void Erased(ILogger logger, int projects, long rows);

    [LoggerMessage(LogLevel.Warning,
        "Rows of {Projects} erased projects turned up, as a late insert brings them; they are erased again.")]
    public static partial void TurnedUp(ILogger logger, int projects);
}
