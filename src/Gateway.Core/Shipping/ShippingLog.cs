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

    [LoggerMessage(LogLevel.Error, "{Rows} events that ClickHouse refuses were put aside in {Path}. {Reason}")]
    public static partial void Quarantined(ILogger logger, int rows, string path, string reason);
}
