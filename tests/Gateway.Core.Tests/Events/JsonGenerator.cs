using System.Globalization;
using System.Text;

namespace Gateway.Core.Tests.Events;

/// <summary>Writes well-formed bodies out of the keys and values that the rules speak of, in every order and doubled.</summary>
/// <param name="random">What it draws from.</param>
/// <param name="token">The token that most bodies have.</param>
internal sealed class JsonGenerator(Random random, string token = "phc_a")
{
    private static readonly string[] Texts =
    [
        "\"e\"", "\"\"", "\"   \"", "\"$performance_event\"", "\"\\u0024performance_event\"", "\"a\\u0000b\"", "\"\\ud83c\"",
        "\"\\ud83d\\ude00\"", "\"\\\\ud83c\"", "\"é😀\"", "\"\\u00e9\"", "null", "7", "1e999", "-0.50", "true", "false", "{}",
        "{\"a\":[1]}", "[]", "[1,{\"b\":null}]", "\"null\"", "\"\\u2003\"", "\"$identify\"", "\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"", "\"\ufeff\"", "\"\u2028\u007f\"",
        "\"\\uDBFF\\uDFFF\\uD800\"", "\"\\u0000\"", "-0", "0e0", "1E+400", "-1e-400", "123456789012345678901234567890.5", "\" \"", "\"\ud83d\ude00\\ud83d\"",
    ];

    /// <summary>Whatever the number of their bytes, 200 code points may pass and 201 may not.</summary>
    private static readonly string[] Units = ["x", "é", "€", "😀", "\\u0061", "\\u00e9", "\\ud83d\\ude00", "\\n"];

    private static readonly string[] Uuids =
    [
        "\"\"", "null", "\"x\"", "7", "\"{01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a\"", "\"01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a11\"",
        "\"b813f15d-8bed-402a-bcfd_7c13891e199a\"", "\"ffffffff-ffff-7fff-bfff-ffffffffffff\"", "\" 01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1\"",
        "\"00000000-0000-0000-0000-000000000000\"", "\"urn:uuid:\"", "\"{}\"", "{}", "\"(01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1)\"",
    ];

    private static readonly string[] Times =
    [
        "\"2026-11-21T20:33:44.858Z\"", "\"1969-12-31T23:59:59.999Z\"", "\"9999-12-31T23:59:59.999Z\"", "\"0001-01-01T00:00:00.000Z\"",
        "\"2026-02-29T00:00:00.000Z\"", "\"2024-02-29T00:00:00.000Z\"", "\"2026-11-22T19:39:00.000Z\"", "\"2026-11-22T19:41:00.000Z\"",
        "\"nonsense\"", "\"\"", "null", "1795293600", "\"1795293600000\"", "true", "\"2026-11-21T20:33:4\\u0034.858Z\"", "1e300",
        "\"2026-11-21T20:33:44+02\"", "\"2026-11-21 20:33:44 -0830\"", "\"2026/1/2\"", "\"11/21/2026 20:33\"", "\"Sat, 21 Nov 2026 20:33:44 GMT\"",
        "\"21 nov 2026 20:33:44 EST\"", "\"2026-11-21T20:33:60Z\"", "\"2026-11-21t20:33:44,1234567z\"", "\"0000-02-29\"", "\"9223372036854775807\"",
        "-9223372036854775808", "\"1.5e9\"", "\"-1e11\"", "\"NaN\"", "\"Infinity\"", "\"2026-11-21T20:33:44.858z\"", "\" 2026-11-21T20:33:44.858Z\\t\"",
        "\"2026-11-21T24:00:00Z\"", "\"2026-13-01\"", "\"1970-01-01T00:00:00.000+23:59\"", "\"2026-11-21T20:33:44+24\"", "\"2026-11-21T20:33.5\"",
    ];

    private readonly string[] _tokens =
    [
        $"\"{token}\"", $"\"{token}\"", $"\"{token}\"", $"\" {token} \"", $"\"\\u0070{token[1..]}\"", "\"phc_b\"", "null", "\"\"", "\"phx_secret\"", "5",
        "\"é\"", $"\"\\t{token}\\n\"", "\"  \"", "\"\\u0000\"", "{}",
    ];

    private static readonly string[] Sets = ["{\"a\":1}", "{}", "null", "7"];

    private static readonly string[] EventKeys =
        ["event", "distinct_id", "$distinct_id", "uuid", "timestamp", "offset", "$set", "$set_once", "token", "other", "\\u0065vent"];

    private static readonly string[] PropertyKeys =
    [
        "distinct_id", "$ip", "$lib", "$os", "$host", "$browser", "$pathname", "$current_url", "$referring_domain", "$device_type",
        "$session_id", "$set", "$set_once", "$ignore_sent_at", "$cookieless_mode", "token", "x", "y", "\\u0024lib",
    ];

    public string Body() => random.Next(8) switch
    {
        < 4 => Batch(),
        < 6 => $"[{Events()}]",
        6 => Event(hasToken: true),
        _ => Pick([" ", "{}", "[]", "3", "\"x\"", "[[]]", Event(hasToken: true) + Event(hasToken: false), "[{}", "{\"batch\":7}"]),
    };

    private string Batch()
    {
        List<string> members = [$"\"batch\":[{Events()}]"];
        if (random.Next(12) > 0) members.Add($"\"api_key\":{Pick(_tokens)}");
        if (random.Next(12) == 0) members.Add($"\"token\":{Pick(_tokens)}");
        if (random.Next(12) == 0) members.Add($"\"batch\":{Pick(["null", "[]", "7"])}");
        if (random.Next(2) == 0) members.Add($"\"sent_at\":{Time()}");
        if (random.Next(4) == 0) members.Add($"\"historical_migration\":{Pick(["true", "false", "1", "null"])}");
        if (random.Next(6) == 0) members.Add($"\"event\":{Pick(Texts)}");
        return Object(members);
    }

    private string Events()
    {
        bool hasTokens = random.Next(3) > 0;
        return string.Join(random.Next(2) == 0 ? "," : " ,\n", Enumerable.Range(0, random.Next(5)).Select(_ => random.Next(20) == 0
            ? Pick(Texts)
            : Event(hasTokens)));
    }

    private string Event(bool hasToken)
    {
        List<string> members = [];
        if (random.Next(10) > 0) members.Add("\"event\":\"good\"");
        if (random.Next(3) > 0) members.Add("\"distinct_id\":\"someone\"");
        if (random.Next(4) > 0) members.Add($"\"properties\":{Properties()}");
        if (random.Next(3) > 0) members.Add($"\"uuid\":\"{NextUuid(random)}\"");
        if (hasToken) members.Add($"\"token\":{Pick(_tokens[..5])}");
        for (int extra = random.Next(4); extra > 0; extra--) members.Add(Member(Pick(EventKeys)));
        if (random.Next(30) == 0) members.Add($"\"properties\":{Pick(Texts)}");
        return Object(members);
    }

    private string Properties() =>
        Object([.. Enumerable.Range(0, random.Next(6)).Select(_ => Member(Pick(PropertyKeys)))]);

    private string Member(string key) => $"\"{key}\":" + key switch
    {
        "uuid" => Uuid(),
        "timestamp" => Time(),
        "offset" => Pick(["5000", "-5000", "0", "1e300", "null", "\"5\"", "1.5"]),
        "$set" or "$set_once" => Pick(Sets),
        "token" => Pick(_tokens),
        "$ignore_sent_at" or "$cookieless_mode" => Pick(["true", "true", "false", "false", "false", "1"]),
        _ => Value(),
    };

    private string Value() => random.Next(12) switch
    {
        0 => $"\"{string.Concat(Enumerable.Repeat(Pick(Units), random.Next(198, 203)))}\"",
        1 => Nested(random.Next(4) == 0 ? random.Next(54, 66) : random.Next(1, 6)),
        2 => Number(),
        _ => Pick(Texts),
    };

    private string Nested(int depth) => random.Next(2) == 0
        ? $"{new string('[', depth)}{Number()}{new string(']', depth)}"
        : $"{string.Concat(Enumerable.Repeat("{\"a\":", depth))}{Pick(Texts)}{new string('}', depth)}";

    private string Number()
    {
        string digits = random.NextInt64(100_000_000_000_000_000, long.MaxValue).ToString(CultureInfo.InvariantCulture);
        return Pick(["", "-"]) + digits[..random.Next(1, 18)] + Pick(["", "", ".25", "e3", "E-400", "e+99999"]);
    }

    private string Time()
    {
        if (random.Next(3) == 0) return Pick(Times);

        // Half a century around the time of receipt, and the edges of days.
        var time = DateTime.UnixEpoch.AddMilliseconds(random.NextInt64(0, 3_000_000_000_000));
        if (random.Next(8) == 0) time = time.Date.AddMilliseconds(-random.Next(2));
        string format = Pick(["yyyy-MM-ddTHH:mm:ss.fffZ", "yyyy-MM-ddTHH:mm:ss.fffZ", "yyyy-MM-dd HH:mm:ss.ffffff", "yyyy/MM/dd", "r", "M/d/yyyy HH:mm", "yyyy-MM-ddTHH:mm:sszzz"]);
        return $"\"{time.ToString(format, CultureInfo.InvariantCulture)}\"";
    }

    /// <summary>Mostly one that no other body has, in one of the ways to write it.</summary>
    private string Uuid()
    {
        if (random.Next(3) == 0) return Pick(Uuids);

        var uuid = NextUuid(random);
        return random.Next(6) switch
        {
            0 => $"\"{uuid:N}\"",
            1 => $"\"{uuid:B}\"",
            2 => $"\"urn:uuid:{uuid:D}\"",
            3 => $"\"{uuid.ToString().ToUpperInvariant()}\"",
            _ => $"\"{uuid}\"",
        };
    }

    /// <summary>A random one, of version 7 half of the time, its time anywhere.</summary>
    public static Guid NextUuid(Random random)
    {
        byte[] bytes = new byte[16];
        random.NextBytes(bytes);
        if (random.Next(2) == 0) (bytes[6], bytes[8]) = ((byte)(0x70 | (bytes[6] & 15)), (byte)(0x80 | (bytes[8] & 63)));
        if (random.Next(2) == 0) bytes[0] = bytes[1] = 0;
        return new Guid(bytes, bigEndian: true);
    }

    private string Object(List<string> members)
    {
        string[] shuffled = [.. members];
        random.Shuffle(shuffled);
        var text = new StringBuilder("{").Append(Pick(["", "", " ", "\n\t"]));
        text.AppendJoin(',', shuffled);
        return text.Append(Pick(["", "", " "])).Append('}').ToString();
    }

    private string Pick(string[] from) => from[random.Next(from.Length)];
}
