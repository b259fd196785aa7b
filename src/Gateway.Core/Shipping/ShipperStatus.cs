namespace Gateway.Core.Shipping;

/// <summary>What the shipper did and how it fares, for metrics. Written by the shipper alone, read by anyone.</summary>
public sealed class ShipperStatus
{
    private long _rows;
    private long _refusedRows;
    private long _blocks;
    private long _retries;
    private long _quarantined;
    private long _checkedRows;
    private long _duplicates;
    private long _missing;
    private long _losses;
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

    /// <summary>Events that were found in the store before the journal forgot them.</summary>
    public long RowsChecked => Volatile.Read(ref _checkedRows);

    /// <summary>Of those, the ones of which an earlier copy is kept instead, as far as merges have gone.</summary>
    public long DuplicatesSeen => Volatile.Read(ref _duplicates);

    /// <summary>Events that are gone from the store now, though it had stored them: the alarm.</summary>
    public long RowsMissing => Volatile.Read(ref _missing);

    /// <summary>Events that were ever found to be gone.</summary>
    public long RowsLost => Volatile.Read(ref _losses);

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

    internal void Checked(long rows, long duplicates)
    {
        Interlocked.Add(ref _checkedRows, rows);
        Interlocked.Add(ref _duplicates, duplicates);
        Volatile.Write(ref _missing, 0);
    }

    internal void Lost(long rows)
    {
        if (RowsMissing == 0) Interlocked.Add(ref _losses, rows);
        Volatile.Write(ref _missing, rows);
    }

    internal void Quarantined(int rows) => Interlocked.Add(ref _quarantined, rows);
}
