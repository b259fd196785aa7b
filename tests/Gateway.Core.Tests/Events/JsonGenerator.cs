using System.Text;

namespace Gateway.Core.Tests.Events;

/// <summary>Writes well-formed bodies out of the keys and values that the rules speak of, in every order and doubled.</summary>
internal sealed class JsonGenerator(Random random)
{
    private static readonly string[] Texts =
    [
        "\"e\"", "\"\"", "\"   \"", "\"$performance_event\"", "\"\\u0024performance_event\"", "\"a\\u0000b\"", "\"\\ud83c\"",
        "\"\\ud83d\\ude00\"", "\"\\\\ud83c\"", "\"é😀\"", "\"\\u00e9\"", "null", "7", "1e999", "-0.50", "true", "false", "{}",
        "{\"a\":[1]}", "[]", "[1,{\"b\":null}]", "\"null\"", "\"\\u2003\"", "\"$identify\"",
    ];

    private static readonly string[] Uuids =
    [
        "\"\"", "null", "\"x\"", "7", "\"01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1\"", "\"01A1FFCB91F57B65B5DDF1E6AC2461A1\"",
        "\"b813f15d-8bed-402a-bcfd-7c13891e199a\"", "\"ffffffff-ffff-7fff-bfff-ffffffffffff\"",
        "\"00000000-0000-0000-0000-000000000000\"", "\"01a1ffcb-91f5-7b65-75dd-f1e6ac2461a1\"", "\"01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a\\u0031\"",
    ];

    private static readonly string[] Times =
    [
        "\"2026-11-21T20:33:44.858Z\"", "\"1969-12-31T23:59:59.999Z\"", "\"9999-12-31T23:59:59.999Z\"", "\"0001-01-01T00:00:00.000Z\"",
        "\"2026-02-29T00:00:00.000Z\"", "\"2024-02-29T00:00:00.000Z\"", "\"2026-11-22T19:39:00.000Z\"", "\"2026-11-22T19:41:00.000Z\"",
        "\"nonsense\"", "\"\"", "null", "1795293600", "\"1795293600000\"", "true", "\"2026-11-21T20:33:4\\u0034.858Z\"", "1e300",
    ];

    private static readonly string[] Tokens =
        ["\"phc_a\"", "\"phc_a\"", "\"phc_a\"", "\" phc_a \"", "\"phc_\\u0061\"", "\"phc_b\"", "null", "\"\"", "\"phx_secret\"", "5", "\"é\""];

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
        if (random.Next(12) > 0) members.Add($"\"api_key\":{Pick(Tokens)}");
        if (random.Next(12) == 0) members.Add($"\"token\":{Pick(Tokens)}");
        if (random.Next(12) == 0) members.Add($"\"batch\":{Pick(["null", "[]", "7"])}");
        if (random.Next(2) == 0) members.Add($"\"sent_at\":{Pick(Times)}");
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
        if (hasToken) members.Add($"\"token\":{Pick(Tokens[..5])}");
        for (int extra = random.Next(4); extra > 0; extra--) members.Add(Member(Pick(EventKeys)));
        if (random.Next(30) == 0) members.Add($"\"properties\":{Pick(Texts)}");
        return Object(members);
    }

    private string Properties() =>
        Object([.. Enumerable.Range(0, random.Next(6)).Select(_ => Member(Pick(PropertyKeys)))]);

    private string Member(string key) => $"\"{key}\":" + key switch
    {
        "uuid" => Pick(Uuids),
        "timestamp" => Pick(Times),
        "offset" => Pick(["5000", "-5000", "0", "1e300", "null", "\"5\"", "1.5"]),
        "$set" or "$set_once" => Pick(Sets),
        "token" => Pick(Tokens),
        "$ignore_sent_at" or "$cookieless_mode" => Pick(["true", "true", "false", "false", "false", "1"]),
        _ => Pick(Texts),
    };

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
