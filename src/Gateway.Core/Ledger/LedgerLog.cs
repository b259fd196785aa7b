using Microsoft.Extensions.Logging;

namespace Gateway.Core.Ledger;

/// <summary>What the books say. What is critical is an alarm.</summary>
internal static partial class LedgerLog
{
    [LoggerMessage(1, LogLevel.Warning,
        "The ledger {Path} knows less than its journal has forgotten: counts of what was shipped go on from here.")]
    public static partial void CountsBeginAnew(ILogger logger, string path);

    [LoggerMessage(2, LogLevel.Critical,
        "LOST: {Records} records of the journal, from sequence {First} on, were kept once and cannot be read.")]
    public static partial void RecordsLost(ILogger logger, long records, ulong first);

    [LoggerMessage(3, LogLevel.Critical,
        "LOST: {Events} events were kept in the journal and could not be read when they were to be shipped.")]
    public static partial void EventsDamaged(ILogger logger, long events);

    [LoggerMessage(4, LogLevel.Information, "The journal recovered with {Events} events waiting to be shipped.")]
    public static partial void Waiting(ILogger logger, long events);

    [LoggerMessage(5, LogLevel.Warning, "How projects fare cannot be written down just now; it is tried again.")]
    public static partial void HealthNotKept(ILogger logger, Exception error);
}
