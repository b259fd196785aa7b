using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>One row of an event query, read in place; its spans are valid until the row is completed.</summary>
internal ref struct EventRow
{
    /// <summary>The one that orders the rows, in microseconds since 1970 UTC.</summary>
    public long Time;
    public ReadOnlySpan<byte> Uuid;
    public ulong EventHash;
    public ushort Day;
    public ReadOnlySpan<byte> Event;

    /// <summary>Reads what every row begins with.</summary>
    public static EventRow Begin(ref RowFields fields) => new()
    {
        Time = fields.NextLong(),
        Uuid = fields.NextBytes(),
        EventHash = (ulong)fields.NextLong(),
        Day = fields.NextShort(),
        Event = fields.NextBytes(),
    };

    /// <summary>The cursor that continues behind this row.</summary>
    public readonly string Cursor(EventsPlan plan) =>
        plan.CursorAfter(Time, Encoding.ASCII.GetString(Uuid), EventHash, Day);

    public static void WriteTime(Utf8JsonWriter json, long micros)
    {
        const int Length = 27;
        Span<byte> text = stackalloc byte[Length];
        DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond)
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
