using Gateway.Core.ClickHouse;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Shipping;

/// <summary>
/// Gets one block into the table, however long it takes. Trouble is waited out; a block that is refused for its data is
/// cut in halves down to the bad rows, which go to the quarantine. Sending rows again is harmless, since a row's
/// identity never changes: that is why a lost answer needs no care here.
/// </summary>
internal sealed class BlockSender(
    EventsTable table,
    Quarantine quarantine,
    ShipperOptions options,
    ShipperStatus status,
    TimeProvider time,
    Random random,
    ILogger logger)
{
    private readonly Backoff _backoff = new(options, random, time);
    private string? _stalledBy;
    private long _failures;
    private bool _tableIsThere;

    /// <summary>
    /// True when each of its rows is on disk or in the quarantine. False when every row was refused: then it may be the
    /// server that is at fault, and only rows yet to come can tell.
    /// </summary>
    public async Task<bool> SendAsync(EventBlock block, CancellationToken cancellationToken)
    {
        if (block.Rows == 0) return true;

        var refusal = await InsertAsync(block, 0, block.Rows, cancellationToken);
        if (refusal is null) return true;

        ShippingLog.Searching(logger, block.Rows, refusal.Message);
        if (await SearchAsync(block, cancellationToken)) return true;

        await StallAsync("Every event is refused: " + refusal.Message, cancellationToken);
        return false;
    }

    /// <summary>Says why nothing moves, once for each reason, and lets some time pass.</summary>
    public async Task StallAsync(string reason, CancellationToken cancellationToken)
    {
        _failures++;
        status.Failed(reason);
        if (_stalledBy != reason) ShippingLog.Stalled(logger, reason);
        _stalledBy = reason;
        await _backoff.WaitAsync(cancellationToken);
    }

    private async Task<bool> SearchAsync(EventBlock block, CancellationToken cancellationToken)
    {
        var pending = new Stack<(int First, int Count)>();
        var suspects = new List<int>();
        bool anyAccepted = false;
        int refusals = 0;

        Halve(pending, 0, block.Rows);
        while (pending.TryPop(out var part))
        {
            if (await InsertAsync(block, part.First, part.Count, cancellationToken) is null)
            {
                anyAccepted = true;
                continue;
            }

            if (!anyAccepted && ++refusals >= options.RefusalsBeforeDoubt) return false;
            if (part.Count == 1) suspects.Add(part.First);
            else Halve(pending, part.First, part.Count);
        }

        if (anyAccepted) await JudgeAsync(block, suspects, cancellationToken);
        return anyAccepted;
    }

    /// <summary>
    /// Either half may come first: a run of bad rows at one end must not hide good ones at the other.
    /// </summary>
    private void Halve(Stack<(int First, int Count)> pending, int first, int count)
    {
        if (count < 2) return;

        var low = (first, count / 2);
        var high = (first + (count / 2), count - (count / 2));
        bool lowIsNext = random.Next(2) == 0;
        pending.Push(lowIsNext ? high : low);
        pending.Push(lowIsNext ? low : high);
    }

    /// <summary>A suspect is tried once more, now that others are known to be accepted.</summary>
    private async Task JudgeAsync(EventBlock block, List<int> suspects, CancellationToken cancellationToken)
    {
        var bad = new List<(QuarantinedRow, ClickHouseException)>();
        foreach (int row in suspects)
        {
            var refusal = await InsertAsync(block, row, 1, cancellationToken);
            if (refusal is not null) bad.Add((block.Row(row), refusal));
        }

        if (bad.Count == 0) return;

        await PutAsideAsync(bad, cancellationToken);
        status.Quarantined(bad.Count);
        ShippingLog.Quarantined(logger, bad.Count, quarantine.Path, bad[^1].Item2.Message);
    }

    private async Task PutAsideAsync(
        List<(QuarantinedRow, ClickHouseException)> bad, CancellationToken cancellationToken)
    {
        while (true)
        {
            string failure;
            try
            {
                await quarantine.AddAsync(bad, cancellationToken);
                return;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                failure = exception.Message;
            }

            await StallAsync("Refused events cannot be put aside: " + failure, cancellationToken);
        }
    }

    /// <summary>Null when the rows are stored, else why they, and not the server, are at fault.</summary>
    private async Task<ClickHouseException?> InsertAsync(
        EventBlock block, int first, int count, CancellationToken cancellationToken)
    {
        var bytes = block.Write(first, count);
        while (true)
        {
            string trouble;
            try
            {
                if (!_tableIsThere) await table.EnsureAsync(cancellationToken);
                _tableIsThere = true;
                await table.InsertAsync(bytes, cancellationToken);
                status.Shipped(count);
                Resume();
                return null;
            }
            catch (ClickHouseException exception)
            {
                if (_tableIsThere && InsertFailure.MaySpeakOfData(exception)) return exception;
                trouble = exception.Message;
            }

            // Whatever it was, the server may come back as another one: it is asked again what it has and knows.
            _tableIsThere = false;
            await StallAsync(trouble, cancellationToken);
        }
    }

    private void Resume()
    {
        _backoff.Reset();
        if (_stalledBy is null) return;

        ShippingLog.Resumed(logger, _failures);
        status.Recovered();
        _stalledBy = null;
        _failures = 0;
    }
}
