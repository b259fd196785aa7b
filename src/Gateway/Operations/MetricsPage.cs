using Gateway.Capture;
using Gateway.Core;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Redis;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Gateway.Ledger;

namespace Gateway.Operations;

/// <param name="Dropped">On their way: left out by the shipper, or taken out of the quarantine.</param>
/// <param name="Stored">Deleted from the table.</param>
internal readonly record struct ErasedRows(long Dropped, long Stored);

/// <summary><c>/metrics</c>. Numbers only: nothing here tells one project from another.</summary>
internal static class MetricsPage
{
    public static void MapMetrics(this IEndpointRouteBuilder endpoints, Func<string> write) =>
        endpoints.MapGet("/metrics", () => Results.Text(write(), "text/plain; version=0.0.4; charset=utf-8"));

    public static string Write(
        CaptureCounters capture,
        InFlightBudget budget,
        ControlPlane plane,
        JournalStatus? journal,
        LedgerBooks? books,
        ErasedRows erased)
    {
        var text = new MetricsText()
            .Counters("gateway_capture_requests_total", "Capture requests by how they ended.", "outcome",
                Enum.GetValues<CaptureOutcome>().Select(outcome => (Label(outcome), capture.Requests(outcome))))
            .Counters("gateway_capture_rejections_total", "Capture requests refused, by reason.", "reason",
                Enum.GetValues<RejectionReason>().Skip(1)
                    .Select(reason => (RejectionStatus.Code(reason), capture.Rejections(reason))))
            .Counters("gateway_token_checks_total", "Token checks of capture, by what they found.", "result",
                Enum.GetValues<TokenState>().Select(found => (Label(found), capture.TokenChecks(found))))
            .Counter("gateway_events_accepted_total", "Events kept in the journal.", capture.EventsAccepted)
            .Counter("gateway_events_refused_total", "Events refused beside good ones.", capture.EventsRefused)
            .Gauge("gateway_capture_bytes_in_flight", "Bytes of bodies in memory.", budget.HeldBytes)
            .Gauge("gateway_tokens_held", "Tokens in the table.", plane.Tokens.Count)
            .Counters("gateway_token_lookups_total", "Token look-ups, by the layer that had the answer.", "layer",
                [
                    ("process", capture.TokensKnown),
                    ("redis", plane.Tokens.CacheHits),
                    ("database", plane.Tokens.DatabaseReads),
                ])
            .Counters("gateway_erased_rows_total", "Rows of deleted projects, by where they were erased.", "from",
                [("journal", erased.Dropped), ("events", erased.Stored)]);

        WriteFence(text, plane.Fence);
        if (plane.Redis is { } redis) WriteRedis(text, redis, plane.Tokens);
        if (journal is { } status) WriteJournal(text, status);
        if (books is not null) WriteLedger(text, books.Ledger);
        if (books is not null) WriteShipper(text, books.Shipper);

        return text.ToString();
    }

    private static void WriteFence(MetricsText text, Fence fence) => text
        .Gauge("gateway_fence_available", "1 while the fence has an authority to ask.", fence.IsAvailable ? 1 : 0)
        .Gauges("gateway_fence_state", "1 for the state that the fence is in.", "state",
            Enum.GetValues<FenceState>().Select(state => (Label(state), state == fence.State ? 1L : 0)))
        .Gauge("gateway_fence_epoch", "The last change that this gateway has seen.", fence.Epoch)
        .Counters("gateway_fence_groups_total", "Groups by who vouched for them.", "authority",
            Enum.GetValues<AuthorityKind>().Select(kind => (Label(kind), fence.Counters.Answered(kind)))
                .Append(("none", fence.Counters.Unavailable)))
        .Histogram("gateway_fence_seconds", "Time that a group waited for its fence.",
            fence.Counters.Latencies().Select(bucket => (bucket.Microseconds / 1e6, bucket.Count)),
            fence.Counters.Total.TotalSeconds);

    private static void WriteRedis(MetricsText text, SharedRedis redis, TokenCheck tokens) => text
        .Gauge("gateway_redis_available", "1 while Redis answers.", redis.IsAway ? 0 : 1)
        .Counter("gateway_redis_misses_total", "Calls that Redis did not answer in time.", redis.Misses)
        .Counter("gateway_redis_refusals_total", "Calls that Redis answered with an error.", redis.Refusals)
        .Counter("gateway_redis_rebuilds_total", "How often its connections were made anew.", redis.Rebuilds)
        .Counter("gateway_redis_token_misses_total", "Tokens that Redis did not know, or not for sure.",
            tokens.CacheMisses);

    private static void WriteJournal(MetricsText text, JournalStatus journal) => text
        .Gauge("gateway_journal_accepting", "1 while appends are taken.", journal.IsAccepting ? 1 : 0)
        .Gauge("gateway_journal_bytes_held", "Durable bytes that are not shipped, or not yet counted in the store.",
            journal.BytesWaiting)
        .Gauge("gateway_journal_segments", "Segment files.", journal.Segments)
        .Counter("gateway_journal_records_total", "Records made durable.", journal.Counters.Records)
        .Counter("gateway_journal_bytes_total", "Bytes made durable.", journal.Counters.Bytes)
        .Counter("gateway_journal_groups_total", "Groups made durable, each by one sync.", journal.Counters.Groups)
        .Counter("gateway_journal_failed_groups_total", "Groups whose write or sync failed.",
            journal.Counters.FailedGroups)
        .Counter("gateway_journal_lost_records_total", "Records found damaged.", journal.Counters.LostRecords);

    private static void WriteLedger(MetricsText text, EventLedger ledger)
    {
        var totals = ledger.Totals;
        text.Counter("gateway_ledger_accepted_total", "Events that became durable, or were found so at the start.",
                totals.Accepted)
            .Counters("gateway_ledger_events_total", "Accepted events by what became of them.", "fate",
                [
                    ("shipped", totals.Shipped),
                    ("quarantined", totals.Quarantined),
                    ("erased", totals.Erased),
                    ("damaged", totals.Damaged),
                ])
            .Gauge("gateway_ledger_waiting", "Accepted events that are on their way.", totals.Waiting)
            .Counter("gateway_ledger_refused_total", "Events refused at capture beside accepted ones.", totals.Refused)
            .Counter("gateway_ledger_lost_records_total", "Records that were durable and cannot be read.",
                totals.LostRecords)
            .Gauge("gateway_quarantine_rows", "Rows put aside.", ledger.Quarantine.Rows)
            .Gauge("gateway_quarantine_bytes", "Bytes of rows put aside.", ledger.Quarantine.Bytes)
            .Gauge("gateway_quarantine_quota_bytes", "At this many, shipping waits for room.",
                ledger.Quarantine.QuotaBytes)
            .Counter("gateway_quarantine_dropped_total", "Events refused at capture that there was no room to keep.",
                ledger.Quarantine.Dropped);
    }

    private static void WriteShipper(MetricsText text, Shipper shipper)
    {
        var (buckets, seconds) = shipper.Freshness.Read();
        WriteShipping(text, shipper);
        text.Gauge("gateway_store_rows_missing", "Stored events that are gone from the store now. Above 0: an alarm.",
                shipper.Status.RowsMissing)
            .Counter("gateway_store_rows_lost_total", "Stored events that were found to be gone, and shipped again.",
                shipper.Status.RowsLost)
            .Counter("gateway_store_rows_checked_total", "Events found in the store before the journal forgot them.",
                shipper.Status.RowsChecked)
            .Counter("gateway_store_duplicates_total", "Of these, copies that were merged into an earlier one.",
                shipper.Status.DuplicatesSeen)
            .Histogram("gateway_freshness_seconds", "Events by the time from receipt to where queries see them.",
                buckets, seconds);
    }

    private static void WriteShipping(MetricsText text, Shipper shipper) => text
        .Gauge("gateway_journal_bytes_waiting", "Durable bytes that are not shipped yet.", shipper.BytesWaiting)
        .Gauge("gateway_ship_lag_seconds", "Age of the oldest event that is not stored yet.", shipper.Lag.TotalSeconds)
        .Gauge("gateway_ship_stalled", "1 from a failed insert until one succeeds.", shipper.Status.IsStalled ? 1 : 0)
        .Counter("gateway_ship_rows_total", "Events stored.", shipper.Status.RowsShipped)
        .Counter("gateway_ship_blocks_total", "Ranges of the journal stored.", shipper.Status.BlocksShipped)
        .Counter("gateway_ship_retries_total", "Inserts that failed and were sent again.", shipper.Status.Retries)
        .Counter("gateway_quarantined_rows_total", "Rows that ClickHouse refused alone.",
            shipper.Status.RowsQuarantined);

    private static string Label(Enum outcome) =>
        string.Concat(outcome.ToString().Select((letter, at) =>
            char.IsUpper(letter) ? (at > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
