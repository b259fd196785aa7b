using System.Buffers;
using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Ledger;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Shipping;

/// <summary>
/// Gets one block into the table, however long it takes. Trouble is waited out. A block that is refused for its data,
/// or that fails again and again while the server answers everything else, is cut in halves: what is too large becomes
/// small enough, and rows that fail alone, where others are taken, are named to the caller. Sending rows again is
/// harmless, since a row's identity never changes: that is why a lost answer needs no care here.
/// </summary>
internal sealed class BlockSender(
    EventsTable table,
    DeadProjects dead,
    ShipperOptions options,
    ShipperStatus status,
    TimeProvider time,
    Random random,
    ILogger logger)
{
    private readonly Backoff _backoff = new(options, random, time);
    private readonly ReadOnlySequence<byte> _canary = Canary.Block();
    private string? _stalledBy;
    private long _failures;
    private bool _tableIsThere;
    private bool _wasCut;

    /// <summary>Waits for the store and makes the table. One that starts along with us is given some time.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await EnsureTableAsync(options.QuietTriesAtStart, cancellationToken);
        Resume();
    }

    /// <summary>
    /// True when each of its rows is on disk, or among the refused ones. False when it is the server that is at fault,
    /// or projects were deleted while the block waited: then it is to be made again, of what is there by then.
    /// </summary>
    /// <param name="block">What is sent.</param>
    /// <param name="refused">Filled with the rows that the server refuses alone while it takes others.</param>
    /// <param name="cancellationToken">Ends the wait, not an insert that may have been stored.</param>
    public async Task<bool> SendAsync(
        EventBlock block, List<QuarantinedRow> refused, CancellationToken cancellationToken)
    {
        refused.Clear();
        try
        {
            return block.Rows == 0 || await SendWholeAsync(block, refused, cancellationToken);
        }
        catch (MakeAgainException)
        {
            _wasCut = false;
            return false;
        }
    }

    /// <summary>Says why nothing moves, once for each reason, and lets some time pass.</summary>
    public async Task StallAsync(string reason, CancellationToken cancellationToken, bool isQuiet = false)
    {
        _failures++;
        status.Failed(reason);
        if (!isQuiet)
        {
            if (_stalledBy != reason) ShippingLog.Stalled(logger, reason);
            _stalledBy = reason;
        }

        await _backoff.WaitAsync(cancellationToken);
    }

    private async Task<bool> SendWholeAsync(
        EventBlock block, List<QuarantinedRow> refused, CancellationToken cancellationToken)
    {
        // Where the last block was too much, this one need not prove it as often.
        int tries = _wasCut && block.Rows > 1 ? 1 : options.TriesBeforeCut;
        var failure = await InsertAsync(block, 0, block.Rows, tries, cancellationToken);
        _wasCut = failure is not null;
        if (failure is null) return true;

        if (_stalledBy is null) ShippingLog.Searching(logger, block.Rows, failure.Message);
        if (await SearchAsync(block, refused, cancellationToken)) return true;

        _wasCut = false;
        string saying = InsertFailure.MaySpeakOfData(failure) ? "Every event is refused: " : "";
        await StallAsync(saying + failure.Message, cancellationToken);
        return false;
    }

    private async Task<bool> SearchAsync(
        EventBlock block, List<QuarantinedRow> refused, CancellationToken cancellationToken)
    {
        var pending = new Stack<(int First, int Count)>();
        var suspects = new List<int>();
        bool anyAccepted = false;
        int refusals = 0;

        Halve(pending, 0, block.Rows);
        while (pending.TryPop(out var part))
        {
            // A part of what failed is cut further at once; a lone row has nothing left but to be tried.
            int tries = part.Count == 1 ? options.TriesBeforeCut : 1;
            var failure = await InsertAsync(block, part.First, part.Count, tries, cancellationToken);
            if (failure is null)
            {
                anyAccepted = true;
                continue;
            }

            if (part.Count == 1) suspects.Add(part.First);
            else Halve(pending, part.First, part.Count);

            if (anyAccepted) continue;
            bool isInDoubt = pending.Count == 0
                || ++refusals >= options.RefusalsBeforeDoubt
                || (part.Count == 1 && !InsertFailure.MaySpeakOfData(failure));
            if (!isInDoubt) continue;
            if (!await TakesCanaryAsync(cancellationToken)) return false;
            anyAccepted = true;
        }

        return await JudgeAsync(block, suspects, refused, cancellationToken);
    }

    /// <summary>
    /// Either half may come first: a run of bad rows at one end must not hide good ones at the other. A lone row is
    /// tried once more.
    /// </summary>
    private void Halve(Stack<(int First, int Count)> pending, int first, int count)
    {
        if (count == 1)
        {
            pending.Push((first, 1));
            return;
        }

        var low = (first, count / 2);
        var high = (first + (count / 2), count - (count / 2));
        bool lowIsNext = random.Next(2) == 0;
        pending.Push(lowIsNext ? high : low);
        pending.Push(lowIsNext ? low : high);
    }

    /// <summary>
    /// A suspect is tried once more, now that others are known to be accepted. Where the answer does not speak of data,
    /// or none comes, the server must show once more that it is well.
    /// </summary>
    private async Task<bool> JudgeAsync(
        EventBlock block, List<int> suspects, List<QuarantinedRow> refused, CancellationToken cancellationToken)
    {
        var bad = new List<(JournalRow Row, ClickHouseException Reason)>();
        foreach (int row in suspects)
        {
            var failure = await InsertAsync(block, row, 1, options.TriesBeforeCut, cancellationToken);
            if (failure is not null) bad.Add((block.Row(row), failure));
        }

        if (bad.Count == 0) return true;

        bool isCertain = bad.TrueForAll(row => InsertFailure.MaySpeakOfData(row.Reason));
        if (!isCertain && !await TakesCanaryAsync(cancellationToken)) return false;

        foreach (var (row, reason) in bad)
        {
            string code = string.Create(CultureInfo.InvariantCulture, $"clickhouse_{reason.Code}");
            refused.Add(new QuarantinedRow(row, code, reason.Message));
        }

        return true;
    }

    /// <summary>Whether the server takes a row that nothing is wrong with, by the statement of the others.</summary>
    private async Task<bool> TakesCanaryAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!_tableIsThere) await table.EnsureAsync(cancellationToken);
            _tableIsThere = true;
            await table.InsertAsync(_canary, cancellationToken);
            Resume();
            return true;
        }
        catch (ClickHouseException)
        {
            _tableIsThere = false;
            return false;
        }
    }

    /// <summary>
    /// Null when the rows are stored, else why they were refused, or why as many tries as this came to nothing while
    /// the server answered for its table. As long as it does not, this waits.
    /// </summary>
    private async Task<ClickHouseException?> InsertAsync(
        EventBlock block, int first, int count, int tries, CancellationToken cancellationToken)
    {
        var bytes = block.Write(first, count);
        while (true)
        {
            await EnsureTableAsync(0, cancellationToken, block);
            ThrowIfOutdated(block);
            ClickHouseException failure;
            try
            {
                await table.InsertAsync(bytes, cancellationToken);
                status.Shipped(count);
                Resume();
                return null;
            }
            catch (ClickHouseException exception)
            {
                if (InsertFailure.MaySpeakOfData(exception)) return exception;
                failure = exception;
            }

            bool isOfServer = InsertFailure.IsOfServer(failure);

            // Whatever it was, the server may come back as another one: it is asked again what it has and knows.
            _tableIsThere = false;
            await StallAsync(failure.Message, cancellationToken);

            // Pieces would only be more of what it has too much of. More events may wait by now: they go along.
            if (isOfServer) throw new MakeAgainException();
            if (--tries <= 0) return failure;
        }
    }

    private async Task EnsureTableAsync(
        int quietTries, CancellationToken cancellationToken, EventBlock? block = null)
    {
        while (!_tableIsThere)
        {
            string trouble;
            try
            {
                await table.EnsureAsync(cancellationToken);
                _tableIsThere = true;
                return;
            }
            catch (ClickHouseException exception)
            {
                trouble = exception.Message;
            }

            await StallAsync(trouble, cancellationToken, isQuiet: quietTries-- > 0);
            ThrowIfOutdated(block);
        }
    }

    /// <summary>
    /// Before each try, a search's parts included: nothing of a deleted project is sent. A request under way is never
    /// cut, or its fate would be unknown.
    /// </summary>
    private void ThrowIfOutdated(EventBlock? block)
    {
        if (block is not null && block.Dead != dead.Ids) throw new MakeAgainException();
    }

    /// <summary>Things go on, whatever they stood still for.</summary>
    public void Resume()
    {
        _backoff.Reset();
        if (_failures == 0) return;

        if (_stalledBy is not null) ShippingLog.Resumed(logger, _failures);
        status.Recovered();
        _stalledBy = null;
        _failures = 0;
    }

    private sealed class MakeAgainException : Exception;
}
