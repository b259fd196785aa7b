using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>A request as the parser took it, read back from the payload into plain values.</summary>
internal sealed record Captured(
    Rejection? Rejection,
    string Token,
    bool IsHistorical,
    string Ip,
    IReadOnlyList<CapturedEvent> Events,
    IReadOnlyList<CapturedRefusal> Refusals,
    IReadOnlyList<RefusedEvent> Listed)
{
    /// <summary>2026-11-21 20:40:00 UTC, just after the recordings.</summary>
    public const long Now = 1_795_293_600_000_000;

    public const string ProjectToken = "phc_testtokentesttokentesttokentesttokentest12";

    public CapturedEvent Event => Events.Single();

    public RejectionReason Reason => Rejection?.Reason ?? RejectionReason.None;

    public static Captured Parse(
        string body, string query = "", string contentType = "", bool isEngage = false, CaptureLimits? limits = null) =>
        Parse(Encoding.UTF8.GetBytes(body), query, contentType, isEngage: isEngage, limits: limits);

    public static Captured Parse(
        byte[] body, string query = "", string contentType = "", string contentEncoding = "", string ip = "",
        bool isEngage = false, CaptureLimits? limits = null)
    {
        using var parser = new CaptureParser(limits ?? new CaptureLimits());
        var facts = new RequestFacts
        {
            Query = query,
            ContentType = contentType,
            ContentEncoding = contentEncoding,
            ClientIp = Encoding.ASCII.GetBytes(ip),
            IsEngage = isEngage,
        };
        return Read(parser, parser.Parse(body, facts, Now));
    }

    public static Captured Read(CaptureParser parser, Rejection? rejection)
    {
        string token = Encoding.UTF8.GetString(parser.Token.Span);
        if (rejection is not null)
        {
            Assert.True(parser.Payload.IsEmpty);
            return new Captured(rejection, token, false, "", [], [], []);
        }

        var reader = new EventPayloadReader(parser.Payload.Span);
        List<CapturedEvent> events = [];
        List<CapturedRefusal> refusals = [];
        while (reader.TryReadRow(out var row))
        {
            if (row[0] == EventPayload.EventKind) events.Add(CapturedEvent.Read(row));
            else refusals.Add(CapturedRefusal.Read(row));
        }

        Assert.Equal(reader.RowCount, events.Count + refusals.Count);
        Assert.Equal(parser.AcceptedCount, events.Count);
        Assert.Equal(parser.RefusedCount, refusals.Count);
        string ip = Encoding.UTF8.GetString(reader.Ip);
        return new Captured(null, token, reader.IsHistorical, ip, events, refusals, [.. parser.Refused]);
    }

    public static byte[] Gzip(byte[] body, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, level)) gzip.Write(body);
        return output.ToArray();
    }

    public static byte[] Gzip(string body) => Gzip(Encoding.UTF8.GetBytes(body));

    public static string Base64(string body) => Convert.ToBase64String(Encoding.UTF8.GetBytes(body));

    /// <summary>A batch of one event with these fields besides its name and distinct id.</summary>
    public static string Batch(string fields, string top = "") =>
        $$"""{"api_key":"{{ProjectToken}}"{{top}},"batch":[{"event":"e","distinct_id":"d"{{fields}}}]}""";
}

internal sealed record CapturedEvent(
    string Name, string DistinctId, Guid Uuid, int Day, long Timestamp, string Properties, string Promoted, int Flags)
{
    public bool HasOwnUuid => (Flags & EventPayload.OwnUuidFlag) != 0;

    public bool HasOwnIp => (Flags & EventPayload.HasOwnIpFlag) != 0;

    public DateTime Time => DateTime.UnixEpoch.AddMicroseconds(Timestamp);

    public static CapturedEvent Read(ReadOnlySpan<byte> bytes)
    {
        var row = new EventRow(bytes);
        Span<byte> uuid = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(uuid, BinaryPrimitives.ReadUInt64LittleEndian(row.Uuid));
        BinaryPrimitives.WriteUInt64BigEndian(uuid[8..], BinaryPrimitives.ReadUInt64LittleEndian(row.Uuid[8..]));

        return new CapturedEvent(
            Encoding.UTF8.GetString(row.Name),
            Encoding.UTF8.GetString(row.DistinctId),
            new Guid(uuid, bigEndian: true),
            row.Day,
            row.Timestamp,
            Encoding.UTF8.GetString(row.Properties),
            ReadPromoted(row.Promoted),
            row.Flags);
    }

    private static string ReadPromoted(ReadOnlySpan<byte> promoted)
    {
        var text = new StringBuilder();
        int at = 1;
        for (int i = 0; i < promoted[0]; i++)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(promoted[(at + 1)..]);
            string value = Encoding.UTF8.GetString(promoted.Slice(at + 3, length));
            string name = promoted[at] < PromotedProperties.Count ? PromotedProperties.Names[promoted[at]] : "none";
            text.Append(name).Append('=').Append(value).Append(';');
            at += 3 + length;
        }

        Assert.Equal(promoted.Length, at);
        return text.ToString();
    }
}

internal sealed record CapturedRefusal(RejectionReason Reason, int Index, string Detail, string Raw)
{
    public static CapturedRefusal Read(ReadOnlySpan<byte> row)
    {
        Assert.Equal(EventPayload.RefusedKind, row[0]);
        int index = BinaryPrimitives.ReadInt32LittleEndian(row[2..]);
        int detail = BinaryPrimitives.ReadUInt16LittleEndian(row[6..]);
        int raw = BinaryPrimitives.ReadInt32LittleEndian(row[(8 + detail)..]);
        Assert.Equal(row.Length, 12 + detail + raw);

        return new CapturedRefusal(
            (RejectionReason)row[1],
            index,
            Encoding.UTF8.GetString(row.Slice(8, detail)),
            Encoding.UTF8.GetString(row.Slice(12 + detail, raw)));
    }
}
