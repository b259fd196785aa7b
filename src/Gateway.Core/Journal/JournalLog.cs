using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>Everything that the journal logs: changes of state and failures, never one an append.</summary>
internal static partial class JournalLog
{
    [LoggerMessage(1, LogLevel.Information,
        "Journal recovered: {Segments} segments, {Bytes} bytes held, next sequence {NextSequence}.")]
    public static partial void Recovered(ILogger logger, int segments, long bytes, ulong nextSequence);

    [LoggerMessage(2, LogLevel.Information,
        "Journal segment {Segment} ends in a torn group at {Offset}. It was never acknowledged and is left out.")]
    public static partial void TornTail(ILogger logger, ulong segment, long offset);

    [LoggerMessage(3, LogLevel.Critical,
        "Journal segment {Segment} is DAMAGED between bytes {From} and {To}: {Records} records are lost, sequences "
        + "{FirstLost} to {LastLost}. Every other record is kept. A copy for examination: {Quarantine}")]
    public static partial void Damaged(
        ILogger logger,
        ulong segment,
        long from,
        long to,
        long records,
        ulong firstLost,
        ulong lastLost,
        string quarantine);

    [LoggerMessage(4, LogLevel.Critical,
        "Journal segment {Segment} has no readable header: all of its records are lost, from sequence {FirstLost} on. "
        + "A copy for examination: {Quarantine}")]
    public static partial void HeaderLost(ILogger logger, ulong segment, ulong firstLost, string quarantine);

    [LoggerMessage(5, LogLevel.Error, "Journal segment {Segment} could not be copied to quarantine.")]
    public static partial void QuarantineFailed(ILogger logger, Exception exception, ulong segment);

    [LoggerMessage(6, LogLevel.Error,
        "Writing journal segment {Segment} failed. It ends at {Offset}; its last {Records} records are refused, and "
        + "the next ones go to a new segment.")]
    public static partial void WriteFailed(
        ILogger logger, Exception exception, ulong segment, long offset, int records);

    [LoggerMessage(7, LogLevel.Error, "No new journal segment could be begun.")]
    public static partial void BeginFailed(ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Warning, "No spare journal segment could be prepared.")]
    public static partial void SpareFailed(ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Warning,
        "Journal refuses appends: {Reason}. {Waiting} bytes wait, {Free} bytes of the disk are free, {Floor} must be.")]
    public static partial void Refusing(ILogger logger, AppendOutcome reason, long waiting, long free, long floor);

    [LoggerMessage(10, LogLevel.Information, "Journal takes appends again.")]
    public static partial void Accepting(ILogger logger);

    [LoggerMessage(11, LogLevel.Error, "Asking the fence failed; the group is refused.")]
    public static partial void FenceFailed(ILogger logger, Exception exception);

    [LoggerMessage(12, LogLevel.Warning,
        "The journal's position is missing or unreadable: everything from segment {Segment} on is shipped again.")]
    public static partial void PositionLost(ILogger logger, ulong segment);

    [LoggerMessage(13, LogLevel.Error, "The free space of the journal's disk cannot be told.")]
    public static partial void SpaceUnknown(ILogger logger, Exception exception);

    [LoggerMessage(14, LogLevel.Warning,
        "A forgotten journal segment could not be removed; the next start removes it.")]
    public static partial void ForgetFailed(ILogger logger, Exception exception);

    [LoggerMessage(15, LogLevel.Warning,
        "Journal segment {Segment} is damaged between bytes {From} and {To}, where all was shipped already: nothing is "
        + "lost, but the disk is not to be trusted.")]
    public static partial void ShippedDamaged(ILogger logger, ulong segment, long from, long to);
}
