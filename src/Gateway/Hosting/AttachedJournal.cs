using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;
using Gateway.Core.Tokens;
using Gateway.Tenancy;

namespace Gateway.Hosting;

/// <summary>
/// The journal of a gateway that is no more, in the folder that it left: shipped beside our own, by its own position
/// and into its own books, and told of when nothing of it is left. Nothing is appended to it.
/// </summary>
internal sealed partial class AttachedJournal : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly string _folder;
    private readonly EventJournal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    private AttachedJournal(string folder, EventJournal journal, EventLedger ledger, TimeProvider time, ILogger log) =>
        (_folder, _journal, Ledger, _time, _log) = (folder, journal, ledger, time, log);

    public EventLedger Ledger { get; }

    /// <summary>Bytes of it that are not shipped yet, or not counted in the store.</summary>
    public long BytesHeld => _journal.Status.BytesWaiting;

    /// <exception cref="JournalException">
    /// A gateway has it open, it is not whole, or it is another installation's; for the operator.
    /// </exception>
    /// <exception cref="LedgerException">Its books cannot be opened; for the operator.</exception>
    public static async Task<AttachedJournal> OpenAsync(
        string folder, string installationId, GatewayOptions options, TimeProvider time, ILogger log)
    {
        if (!Directory.Exists(folder) || !File.Exists(Path.Combine(folder, GatewayIdentity.FileName)))
        {
            throw new JournalException(
                $"Gateway:AttachJournals names '{folder}', which is no folder of a journal: it must hold the segments "
                + $"and '{GatewayIdentity.FileName}' of a gateway that is stopped.");
        }

        GatewayIdentity.RefuseAnothers(folder, installationId);
        var journal = EventJournal.Open(
            options.ForJournal() with { Directory = folder },
            new SystemDisk(),
            (_, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Unavailable, 0)),
            time,
            log);
        try
        {
            string id = GatewayIdentity.ReadOrMake(folder);
            var ledger = EventLedger.Open(journal, folder, id, options.ForLedger(), time, log);
            return new AttachedJournal(folder, journal, ledger, time, log);
        }
        catch
        {
            await journal.DisposeAsync();
            throw;
        }
    }

    /// <summary>Counts what waits in it. The greatest id of a project among that; 0: nothing waits.</summary>
    public ulong Recover() => Ledger.Recover(_journal, _journal.DurableEnd);

    /// <summary>Ships it until it is told to stop; what it put aside goes to our own quarantine.</summary>
    public async Task RunAsync(
        EventsTable table,
        DeadProjects dead,
        ShipperOptions options,
        Quarantine ours,
        CancellationToken cancellationToken)
    {
        try
        {
            await ShipAsync(table, dead, options, cancellationToken);
            if (BytesHeld > 0) return;

            long moved = ours.Adopt(Ledger.Quarantine, Ledger.JournalId, dead.Ids);
            LogShipped(_folder, moved);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Our own events are none the worse for it.
            LogFailed(exception, _folder);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Ledger.Dispose();
        await _journal.DisposeAsync();
    }

    private async Task ShipAsync(
        EventsTable table, DeadProjects dead, ShipperOptions options, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var shipper = new Shipper(_journal, Ledger, table, dead, options, _time, Random.Shared, _log);
        var shipping = shipper.RunAsync(ended.Token);
        try
        {
            while (BytesHeld > 0 && !shipping.IsCompleted) await Task.Delay(Poll, _time, ended.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }

        await ended.CancelAsync();
        await shipping;
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The attached journal {Folder} cannot be shipped. It is tried again at the next start.")]
    private partial void LogFailed(Exception error, string folder);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The attached journal {Folder} is shipped, and counted in the store; {Rows} rows that it had put "
            + "aside are in our quarantine. Take it out of Gateway:AttachJournals; the folder is needed no more.")]
    private partial void LogShipped(string folder, long rows);
}
