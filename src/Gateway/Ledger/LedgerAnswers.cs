using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Core.Ledger;
using Gateway.Tenancy;

namespace Gateway.Ledger;

/// <summary>A project's ledger. Accepted is shipped, quarantined, erased, waiting and damaged together.</summary>
/// <param name="Journals">This gateway's, and those attached to it: others have books of their own.</param>
/// <param name="From">Beginning of the first minute.</param>
/// <param name="To">End of the last one.</param>
/// <param name="Alarm">Whether anything is, or was, lost: damaged, missed or lost records are above 0.</param>
/// <param name="LostRecords">
/// Requests of whatever project that were kept once and cannot be read; where the disk lost them while the gateway was
/// stopped, nobody can say whose they were.
/// </param>
/// <param name="Totals">Over all minutes.</param>
/// <param name="Minutes">Of receipt; those without an event are left out.</param>
internal sealed record LedgerAnswer(
    IReadOnlyList<Guid> Journals, DateTimeOffset From, DateTimeOffset To, bool Alarm, long LostRecords,
    LedgerCounts Totals,
    IReadOnlyList<LedgerMinuteAnswer> Minutes);

/// <param name="Accepted">Answered 200.</param>
/// <param name="Shipped">In the store: stored and duplicates together.</param>
/// <param name="Stored">Shown by queries; null while the store cannot be asked.</param>
/// <param name="Duplicates">Copies of events that the store had already; null while it cannot be asked.</param>
/// <param name="Quarantined">Put aside since ClickHouse refuses them.</param>
/// <param name="Erased">Left out since the project was deleted.</param>
/// <param name="Waiting">On disk, and on their way.</param>
/// <param name="Damaged">On disk once, and unreadable when they were to be shipped: lost.</param>
/// <param name="Missed">Of the shipped: found to be gone from the store, and shipped again.</param>
/// <param name="Refused">Refused at capture beside accepted ones; not among the accepted.</param>
internal sealed record LedgerCounts(
    long Accepted, long Shipped, long? Stored, long? Duplicates, long Quarantined, long Erased, long Waiting,
    long Damaged, long Missed, long Refused)
{
    public static LedgerCounts None { get; } = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    public static LedgerCounts Of(LedgerMinute minute, IReadOnlyDictionary<int, long>? stored)
    {
        // A block that was just stored may not be settled yet.
        long? shown = stored is null ? null : Math.Min(stored.GetValueOrDefault(minute.Minute), minute.Shipped);
        return new LedgerCounts(
            minute.Accepted, minute.Shipped, shown, minute.Shipped - shown, minute.Quarantined, minute.Erased,
            minute.Waiting, minute.Damaged, minute.Missed, minute.Refused);
    }

    public static LedgerCounts operator +(LedgerCounts left, LedgerCounts right) => new(
        left.Accepted + right.Accepted, left.Shipped + right.Shipped, left.Stored + right.Stored,
        left.Duplicates + right.Duplicates, left.Quarantined + right.Quarantined, left.Erased + right.Erased,
        left.Waiting + right.Waiting, left.Damaged + right.Damaged, left.Missed + right.Missed,
        left.Refused + right.Refused);
}

/// <param name="Minute">Its beginning.</param>
/// <param name="Counts">What came of the events received in it.</param>
internal sealed record LedgerMinuteAnswer(DateTimeOffset Minute, LedgerCounts Counts);

/// <param name="Events">How many were shipped lately.</param>
/// <param name="P50Seconds">Half of them could be queried within this time of their receipt; null without any.</param>
/// <param name="P99Seconds">Of a hundred, ninety-nine.</param>
/// <param name="WindowSeconds">How far back is looked at most.</param>
internal sealed record FreshnessAnswer(long Events, double? P50Seconds, double? P99Seconds, int WindowSeconds);

/// <summary>How a project fared at this gateway.</summary>
/// <param name="From">Beginning of the first minute.</param>
/// <param name="To">End of the last one.</param>
/// <param name="Minutes">Those in which there was anything.</param>
/// <param name="Refused">Requests over all minutes, by reason.</param>
/// <param name="Unattributed">
/// Requests that were refused for a token that is nobody's, by reason: whose they were to be, nobody knows.
/// </param>
internal sealed record HealthAnswer(
    DateTimeOffset From, DateTimeOffset To, IReadOnlyList<HealthMinuteAnswer> Minutes,
    IReadOnlyDictionary<string, long> Refused,
    IReadOnlyDictionary<string, long> Unattributed);

/// <param name="Minute">Its beginning.</param>
/// <param name="Waiting">Events on disk, and on their way, when it was looked last in that minute.</param>
/// <param name="FreshnessEvents">How many became visible to queries in it.</param>
/// <param name="P50Seconds">Half of them did within this time of their receipt; null without any.</param>
/// <param name="P99Seconds">Of a hundred, ninety-nine.</param>
/// <param name="Refused">Requests, by reason; those that there were only.</param>
internal sealed record HealthMinuteAnswer(
    DateTimeOffset Minute, long Waiting, long FreshnessEvents, double? P50Seconds, double? P99Seconds,
    IReadOnlyDictionary<string, long> Refused);

/// <param name="Id">For replay and deletion.</param>
/// <param name="Origin">store: ClickHouse refuses it; capture: it was refused beside good ones.</param>
/// <param name="Code">For programs.</param>
/// <param name="Reason">For people.</param>
/// <param name="ReceivedAt">With its request.</param>
/// <param name="QuarantinedAt">When it was put aside.</param>
/// <param name="Event">As it was understood; of a refused one as it was sent.</param>
internal sealed record QuarantineAnswer(
    long Id, string Origin, string Code, string Reason, DateTimeOffset ReceivedAt, DateTimeOffset QuarantinedAt,
    RawJson Event);

/// <param name="Replayed">Rows that were accepted again, and are no longer here.</param>
/// <param name="Failed">Rows that were not, and are.</param>
/// <param name="Errors">Why, for the first hundred.</param>
internal sealed record ReplayAnswer(long Replayed, long Failed, IReadOnlyList<ReplayError> Errors);

/// <param name="Id">The row.</param>
/// <param name="Code">For programs.</param>
/// <param name="Detail">For people.</param>
internal sealed record ReplayError(long Id, string Code, string Detail);

/// <summary>JSON that was checked before and is passed on as it is: what is in it may be beyond .NET's texts.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct RawJson(ReadOnlyMemory<byte> Utf8)
{
    internal sealed class Converter : JsonConverter<RawJson>
    {
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LedgerAnswer))]
[JsonSerializable(typeof(FreshnessAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(QuarantineAnswer))]
[JsonSerializable(typeof(Page<QuarantineAnswer>))]
[JsonSerializable(typeof(ReplayAnswer))]
internal sealed partial class LedgerJson : JsonSerializerContext;
