using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Core.Tests.Events;

/// <summary>
/// Makes requests, each from a number of its own, so that any one can be made again: recorded or generated JSON,
/// damaged byte by byte or moved about value by value, wrapped as SDKs wrap it, labelled rightly or not, and damaged
/// once more.
/// </summary>
/// <param name="token">The project token that most bodies have.</param>
internal sealed partial class FuzzSource(string token)
{
    private const string Form = "application/x-www-form-urlencoded";

    private static readonly string[] Recorded = [.. RecordedRequests.All
        .Where(request => request is { IsCapture: true, Decoded: { Length: < 20_000 } })
        .Select(request => request.Decoded!)];

    private static readonly byte[][] RecordedBodies = [.. RecordedRequests.All
        .Where(request => request.Body.Length is > 0 and < 20_000)
        .Select(request => request.Body)];

    private static readonly string[] Queries =
        ["", "", "ip=1&_=1795293600000&ver=1.2", "sent_at=1795290000000", "compression=gzip-js", "compression=base64", "compression=lz64", "compression=br", "data=", "_=17"];

    private static readonly string[] Types = ["", "application/json", "text/plain", Form, Form + "; charset=UTF-8", " APPLICATION/X-WWW-FORM-URLENCODED"];

    /// <summary>The request of this number.</summary>
    public FuzzRequest Make(long number)
    {
        // Neighbours must not look alike: the framework's own generator would be seeded with little more than a count.
        var random = new Random(HashCode(number));
        byte[] json = Json(random);
        bool isEngage = random.Next(8) == 0;
        var request = random.Next(5) < 3 ? Plain(random, json) : Wrapped(random, json);
        if (random.Next(12) == 0) request = request with { Body = JsonMutator.Mutate(random, request.Body) };
        return request with { IsEngage = isEngage };
    }

    private static int HashCode(long number)
    {
        ulong mixed = (ulong)number * 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        return (int)((mixed ^ (mixed >> 27)) >> 32);
    }

    private byte[] Json(Random random)
    {
        if (random.Next(40) == 0) return RecordedBodies[random.Next(RecordedBodies.Length)];

        // Uuids of their own, or the store would show the first of all who share one.
        byte[] json = Encoding.UTF8.GetBytes(random.Next(2) == 0
            ? new JsonGenerator(random, token).Body()
            : Uuid().Replace(Recorded[random.Next(Recorded.Length)].Replace(Captured.ProjectToken, token, StringComparison.Ordinal),
                match => random.Next(20) == 0 ? match.Value : $"\"uuid\":\"{JsonGenerator.NextUuid(random)}\""));
        for (int times = random.Next(4); times > 0; times--)
            json = random.Next(3) == 0 ? JsonMutator.Mutate(random, json) : JsonSurgeon.Operate(random, json);

        if (random.Next(30) == 0) json = [.. Encoding.UTF8.Preamble, .. json];
        return json;
    }

    private static FuzzRequest Plain(Random random, byte[] json) =>
        new(json, Pick(random, Queries), Pick(random, Types), random.Next(10) == 0 ? "gzip" : "");

    private static FuzzRequest Wrapped(Random random, byte[] json)
    {
        string base64 = Convert.ToBase64String(json);
        byte[] gzip = Captured.Gzip(json);
        string type = random.Next(3) == 0 ? Pick(random, Types) : "";
        return random.Next(12) switch
        {
            0 or 1 => new FuzzRequest(gzip, random.Next(2) == 0 ? "compression=gzip-js" : "", type, random.Next(2) == 0 ? "gzip" : ""),
            2 => new FuzzRequest(Ascii(base64), Pick(random, Queries), type),
            3 => new FuzzRequest(Ascii(base64.TrimEnd('=').Replace('+', '-').Replace('/', '_')), "compression=base64", type),
            4 => new FuzzRequest(Ascii("data=" + Uri.EscapeDataString(base64)), Pick(random, Queries), Form),
            5 => new FuzzRequest(Ascii("ip=1&data=" + base64.Replace('+', ' ') + "&compression=base64"), "", Form),
            6 => new FuzzRequest(Ascii("data=" + Escaped(json)), "", random.Next(2) == 0 ? Form : ""),
            7 => new FuzzRequest(Ascii(Convert.ToBase64String(gzip)), Pick(random, Queries), type),
            8 => new FuzzRequest(Ascii(Convert.ToBase64String(Ascii(base64))), "", type),
            9 => new FuzzRequest([], "_=1&data=" + Escaped(Ascii(random.Next(2) == 0 ? base64 : Convert.ToBase64String(gzip))), type),
            10 => new FuzzRequest(Ascii(ReferenceLz.Encode(Encoding.UTF8.GetString(json))), "compression=lz64", type),
            _ => new FuzzRequest([.. gzip, .. Captured.Gzip(random.Next(2) == 0 ? "" : " ")], "", type),
        };
    }

    private static string Escaped(byte[] text) => string.Concat(text.Select(unit => char.IsAsciiLetterOrDigit((char)unit)
        ? $"{(char)unit}"
        : unit == ' ' ? "+" : $"%{unit:X2}"));

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];

    [GeneratedRegex("\"uuid\":\\s*\"[^\"]*\"")]
    private static partial Regex Uuid();
}
