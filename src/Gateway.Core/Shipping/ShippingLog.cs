using Microsoft.Extensions.Logging;

namespace Gateway.Core.Shipping;

/// <summary>What the shipper says: changes of state only.</summary>
internal static partial class ShippingLog
{
    [LoggerMessage(LogLevel.Warning,
        "Shipping stands still; events are kept in the journal and tried again. {Reason}")]
    public static partial void Stalled(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "Events are shipped again, after {Failures} failed tries.")]
    public static partial void Resumed(ILogger logger, long failures);

    [LoggerMessage(LogLevel.Warning, "ClickHouse refuses a block of {Rows} events; looking for the bad ones. {Reason}")]
    public static partial void Searching(ILogger logger, int rows, string reason);

    [LoggerMessage(LogLevel.Error, "{Rows} events that ClickHouse refuses were put into the quarantine. {Reason}")]
    public static partial void Quarantined(ILogger logger, int rows, string reason);

    [LoggerMessage(LogLevel.Warning,
        "What was shipped cannot be counted in the store now; the journal keeps it. {Reason}")]
    public static partial void NotCounted(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Critical,
        "LOST FROM THE STORE: {Events} events of projects {Projects} that ClickHouse had stored are gone from it, of "
        + "sequences {First} to {Last}. The journal has them still: they are shipped again.")]
    public static partial void Lost(ILogger logger, int events, string projects, ulong first, ulong last);

    [LoggerMessage(LogLevel.Warning, "The {Events} events that were lost from the store are in it again.")]
    public static partial void Restored(ILogger logger, int events);
}
