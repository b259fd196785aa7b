namespace Gateway.Core.Shipping;

/// <summary>What the shipper did and how it fares, for metrics. Written by the shipper alone, read by anyone.</summary>
public sealed class ShipperStatus
{
    private long _rows;
    private long _refusedRows;
    private long _blocks;
    private long _retries;
    private long _quarantined;
    private volatile string? _lastError;
    private volatile bool _isAway;

    /// <summary>Events that ClickHouse has on disk.</summary>
    public long RowsShipped => Volatile.Read(ref _rows);

    /// <summary>Events refused at capture, seen in the journal and left out.</summary>
    public long RefusedRowsSeen => Volatile.Read(ref _refusedRows);

    public long BlocksShipped => Volatile.Read(ref _blocks);

    /// <summary>Inserts that failed by trouble and were, or will be, sent again.</summary>
    public long Retries => Volatile.Read(ref _retries);

    public long RowsQuarantined => Volatile.Read(ref _quarantined);

    /// <summary>What ClickHouse, or the way to it, said when something failed last; null when nothing did.</summary>
    public string? LastError => _lastError;

    /// <summary>True from a failed insert until one succeeds.</summary>
    public bool IsStalled => _isAway;

    internal void Shipped(int rows) => Interlocked.Add(ref _rows, rows);

    internal void Finished(int refusedRows)
    {
        Interlocked.Increment(ref _blocks);
        Interlocked.Add(ref _refusedRows, refusedRows);
    }

    internal void Failed(string error)
    {
        _lastError = error;
        _isAway = true;
        Interlocked.Increment(ref _retries);
    }

    internal void Recovered() => _isAway = false;

    internal void Quarantined(int rows) => Interlocked.Add(ref _quarantined, rows);
}
