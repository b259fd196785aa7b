using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>One row of an event query, read in place; its spans are valid until the row is completed.</summary>
internal ref struct EventRow
{
    public long Timestamp;
    public ReadOnlySpan<byte> Uuid;
    public ulong EventHash;
    public ushort Day;
    public ReadOnlySpan<byte> Event;

    /// <summary>Reads what every row begins with.</summary>
    public static EventRow Begin(ref RowFields fields) => new()
    {
        Timestamp = fields.NextLong(),
        Uuid = fields.NextBytes(),
        EventHash = (ulong)fields.NextLong(),
        Day = fields.NextShort(),
        Event = fields.NextBytes(),
    };

    /// <summary>The cursor that continues behind this row.</summary>
    public readonly string Cursor(EventsPlan plan) =>
        plan.CursorAfter(Timestamp, Encoding.ASCII.GetString(Uuid), EventHash, Day);

    public readonly void WriteTimestamp(Utf8JsonWriter json)
    {
        const int Length = 27;
        Span<byte> text = stackalloc byte[Length];
        DateTime.UnixEpoch.AddTicks(Timestamp * TimeSpan.TicksPerMicrosecond)
            .TryFormat(text, out int written, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        json.WriteStringValue(text[..written]);
    }

    /// <summary>Properties were checked to be JSON when they came in; they are passed on as they are.</summary>
    public static void WriteJson(Utf8JsonWriter json, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) json.WriteNullValue();
        else json.WriteRawValue(value, skipInputValidation: true);
    }
}
