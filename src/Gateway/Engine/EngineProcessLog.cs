namespace Gateway.Engine;

/// <summary>What becomes of the engine's process.</summary>
internal static partial class EngineProcessLog
{
    [LoggerMessage(1, LogLevel.Information, "The embedded engine is ready at {Url}")]
    public static partial void Ready(ILogger logger, Uri url);

    [LoggerMessage(2, LogLevel.Warning, "The embedded engine ended with {ExitCode}")]
    public static partial void Ended(ILogger logger, int exitCode);

    [LoggerMessage(3, LogLevel.Warning, "The embedded engine has not answered for {Patience}; it is killed")]
    public static partial void Silent(ILogger logger, TimeSpan patience);

    [LoggerMessage(4, LogLevel.Warning, "The embedded engine did not stop within {Patience}; it is killed")]
    public static partial void DidNotStop(ILogger logger, TimeSpan patience);

    [LoggerMessage(5, LogLevel.Information, "Ended the embedded engine {Pid}, which an earlier gateway left behind")]
    public static partial void EndedLeftBehind(ILogger logger, int pid);

    [LoggerMessage(6, LogLevel.Error, "The embedded engine cannot be kept running")]
    public static partial void Failed(ILogger logger, Exception exception);

    [LoggerMessage(7, LogLevel.Information, "Engine: {Line}")]
    public static partial void Says(ILogger logger, string line);

    [LoggerMessage(8, LogLevel.Warning, "The embedded engine is started again in {Delay}")]
    public static partial void StartsAgain(ILogger logger, TimeSpan delay);
}
