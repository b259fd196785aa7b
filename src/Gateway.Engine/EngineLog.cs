namespace Gateway.Engine;

/// <summary>What the engine's process says.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Error, "The engine cannot start: {Reason}")]
    public static partial void CannotStart(ILogger logger, string reason);

    [LoggerMessage(2, LogLevel.Information, "Caught {Count} null references")]
    public static partial void Caught(ILogger logger, long count);
}
