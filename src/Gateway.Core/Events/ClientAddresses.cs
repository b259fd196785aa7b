using System.Buffers.Binary;
using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>
/// Takes every client's address out of a payload, in place, for a project that keeps none: the request's own, and
/// whatever stands under a key <c>$ip</c> at whatever depth. Sizes stay as they are, so nothing moves: a value becomes
/// <c>null</c> and blanks. Whose project it is is known only after the events were parsed; only such projects pay.
/// </summary>
internal static class ClientAddresses
{
    /// <summary>No property has this place: readers pass over it.</summary>
    private const byte NoProperty = byte.MaxValue;

    public static void Erase(Span<byte> payload)
    {
        int ipLength = payload[2];
        payload.Slice(3, ipLength).Clear();

        var rest = payload[(3 + ipLength + EventPayload.CountBytes)..];
        while (!rest.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            var row = rest.Slice(4, length);
            if (row[0] == EventPayload.EventKind) EraseFromEvent(row);
            else EraseFromRefused(row);
            rest = rest[(4 + length)..];
        }
    }

    private static void EraseFromEvent(Span<byte> row)
    {
        int at = EventPayload.EventNameOffset;
        SkipShort(row, ref at);
        SkipShort(row, ref at);

        int count = row[at++];
        for (int i = 0; i < count; i++)
        {
            int start = at++;
            SkipShort(row, ref at);
            if (row[start] != PromotedProperties.Ip) continue;

            row[start] = NoProperty;
            row[(start + 3)..at].Fill((byte)' ');
        }

        EraseFromJson(row.Slice(at + 4, BinaryPrimitives.ReadInt32LittleEndian(row[at..])));
    }

    private static void EraseFromRefused(Span<byte> row)
    {
        // Behind kind, reason and index.
        int at = 6;
        SkipShort(row, ref at);
        EraseFromJson(row.Slice(at + 4, BinaryPrimitives.ReadInt32LittleEndian(row[at..])));
    }

    private static void EraseFromJson(Span<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("$ip"u8)) continue;

                reader.Read();
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                Blank(json[start..(int)reader.BytesConsumed]);
            }
        }
        catch (JsonException)
        {
            // It was read as JSON once; what cannot be read again is not kept where nobody can tell what is in it.
            json.Fill((byte)' ');
        }
    }

    /// <summary>Another value of the same length. No address is shorter than four characters with its quotes.</summary>
    private static void Blank(Span<byte> value)
    {
        var shorter = value.Length switch
        {
            1 => "0"u8,
            2 or 3 => "\"\""u8,
            _ => "null"u8,
        };
        shorter.CopyTo(value);
        value[shorter.Length..].Fill((byte)' ');
    }

    private static void SkipShort(ReadOnlySpan<byte> row, ref int at) =>
        at += 2 + BinaryPrimitives.ReadUInt16LittleEndian(row[at..]);
}
