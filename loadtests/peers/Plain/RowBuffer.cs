using System.Threading.Channels;

namespace Gateway.Peers.Plain;

/// <summary>
/// Rows wait here, in memory, until there are enough of them for an insert or a second has passed. When the store
/// cannot keep up, the oldest batch is lost; with the process, all of them are.
/// </summary>
internal sealed class RowBuffer
{
    private const int MaxBatchRows = 10_000;
    private const int MaxBatches = 10;

    private readonly Lock _lock = new();
    private readonly Channel<List<EventRow>> _batches = Channel.CreateBounded<List<EventRow>>(
        new BoundedChannelOptions(MaxBatches) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private List<EventRow> _rows = new(MaxBatchRows);

    public void Add(List<EventRow> rows)
    {
        lock (_lock)
        {
            foreach (var row in rows)
            {
                _rows.Add(row);
                if (_rows.Count == MaxBatchRows) Close();
            }
        }
    }

    /// <summary>What is there has waited long enough.</summary>
    public void CloseBatch()
    {
        lock (_lock)
        {
            if (_rows.Count > 0) Close();
        }
    }

    public IAsyncEnumerable<List<EventRow>> ReadBatchesAsync(CancellationToken cancellationToken) =>
        _batches.Reader.ReadAllAsync(cancellationToken);

    private void Close()
    {
        _batches.Writer.TryWrite(_rows);
        _rows = new List<EventRow>(MaxBatchRows);
    }
}
