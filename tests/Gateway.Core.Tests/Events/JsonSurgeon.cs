using System.Text;
using System.Text.Json;

namespace Gateway.Core.Tests.Events;

/// <summary>Moves whole values and members of a JSON text about, so that it stays JSON and means something else.</summary>
internal static class JsonSurgeon
{
    private static readonly string[] Strange =
    [
        "null", "0", "-1e999", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "{}", "[]", "[[]]", "true", "\"phx_secret\"", "{\"\":{}}", "1.0000000000000000001", "\"null\"",
    ];

    /// <summary>The text after one operation; unchanged when it is no JSON.</summary>
    public static byte[] Operate(Random random, byte[] json)
    {
        var (values, members) = Parts(json);
        if (values.Count == 0) return json;

        var value = values[random.Next(values.Count)];
        var other = values[random.Next(values.Count)];
        var member = members.Count == 0 ? value : members[random.Next(members.Count)];
        return random.Next(8) switch
        {
            0 => Replace(json, value, Encoding.UTF8.GetBytes(Strange[random.Next(Strange.Length)])),
            1 => Replace(json, value, json[other]),
            2 => Replace(json, value, [(byte)'[', .. json[value], (byte)']']),
            3 => Replace(json, value, [.. "{\"a\":"u8, .. json[value], (byte)'}']),
            4 => Replace(json, value, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(Encoding.UTF8.GetString(json[value])))),
            5 when members.Count > 0 => Replace(json, member, [.. json[member], (byte)',', .. json[members[random.Next(members.Count)]]]),
            6 when members.Count > 0 => Replace(json, member, json[members[random.Next(members.Count)]]),
            7 when members.Count > 0 => Replace(json, member, Respelt(random, json[member])),
            _ => Replace(json, value, [.. " \n"u8, .. json[value], .. "\t\r"u8]),
        };
    }

    private static byte[] Replace(byte[] json, Range place, byte[] text)
    {
        var (start, length) = place.GetOffsetAndLength(json.Length);
        return [.. json.AsSpan(0, start), .. text, .. json.AsSpan(start + length)];
    }

    /// <summary>A letter of the key as an escape: the same key.</summary>
    private static byte[] Respelt(Random random, byte[] member)
    {
        int end = member.AsSpan(1).IndexOf((byte)'"');
        int at = 1 + random.Next(Math.Max(1, end));
        return member[at] is < 32 or >= 127 or (byte)'\\' or (byte)'"' || member[at - 1] == '\\'
            ? member
            : [.. member.AsSpan(0, at), .. Encoding.ASCII.GetBytes($"\\u{member[at]:x4}"), .. member.AsSpan(at + 1)];
    }

    /// <summary>Where every value stands, and every member with its key.</summary>
    private static (List<Range> Values, List<Range> Members) Parts(byte[] json)
    {
        List<Range> values = [], members = [];
        var open = new Stack<(int Start, int Key)>();
        int key = -1;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        try
        {
            while (reader.Read())
            {
                int start = (int)reader.TokenStartIndex, end = (int)reader.BytesConsumed;
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        key = start;
                        continue;
                    case JsonTokenType.StartArray or JsonTokenType.StartObject:
                        open.Push((start, key));
                        key = -1;
                        continue;
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        (start, key) = open.Pop();
                        break;
                }

                values.Add(start..end);
                if (key >= 0) members.Add(key..end);
                key = -1;
            }
        }
        catch (JsonException)
        {
            return ([], []);
        }

        return (values, members);
    }
}
