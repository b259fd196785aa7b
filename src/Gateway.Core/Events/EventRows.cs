using System.Buffers.Binary;

namespace Gateway.Core.Events;

/// <summary>
/// Writes a request's events into one payload, in the format that <see cref="EventPayload"/> draws, each in one go as
/// soon as it is whole. What only the end of the body tells (when it was sent, that it is historical) is put in then.
/// </summary>
internal sealed class EventRows(
    CaptureLimits limits, CaptureRejections rejections, Func<long, bool>? tryCharge) : IDisposable
{
    private const int IpOffset = 3;

    /// <summary>A row's fixed parts, and the keys that are added to the properties.</summary>
    private const int RowOverhead = 256;

    private readonly PooledBuffer _payload = new(tryCharge);
    private readonly List<(int Offset, long ClientMicros)> _toCorrect = [];
    private readonly List<RefusedEvent> _refused = [];
    private readonly UuidSource _uuids = new();
    private readonly byte[] _key = new byte[EventKeys.LongestEscaped];
    private long _now;
    private bool _isEngage;

    public int AcceptedCount { get; private set; }

    public int RefusedCount { get; private set; }

    public Rejection? FirstRefusal { get; private set; }

    public IReadOnlyList<RefusedEvent> Refused => _refused;

    public ReadOnlyMemory<byte> Payload => _payload.WrittenMemory;

    public void Start(in RequestFacts facts, long nowMicros)
    {
        _now = nowMicros;
        _isEngage = facts.IsEngage;

        var ip = facts.ClientIp;
        int length = IpOffset + ip.Length + EventPayload.CountBytes;
        var header = _payload.Reserve(length);
        header[0] = EventPayload.Version;
        header[1] = 0;
        header[2] = checked((byte)ip.Length);
        ip.CopyTo(header[IpOffset..]);
        _payload.Advance(length);
    }

    /// <summary>Corrects the times and closes the payload.</summary>
    public void Finish(bool isHistorical, long? sentAtMicros)
    {
        var payload = _payload.Written;
        if (isHistorical) payload[1] |= EventPayload.HistoricalFlag;

        var counts = payload[EventPayload.CountsOffset(payload)..];
        BinaryPrimitives.WriteInt32LittleEndian(counts, AcceptedCount + RefusedCount);
        BinaryPrimitives.WriteInt32LittleEndian(counts[sizeof(int)..], RefusedCount);

        long skew = sentAtMicros is { } sentAt ? EventTime.Skew(sentAt, _now) : 0;
        if (skew == 0) return;

        foreach (var (offset, clientMicros) in _toCorrect)
            BinaryPrimitives.WriteInt64LittleEndian(payload[offset..], EventTime.Shown(clientMicros - skew, _now));
    }

    /// <summary>Takes every client's address out, the request's and the events' own.</summary>
    public void EraseAddresses() => ClientAddresses.Erase(_payload.Written);

    /// <summary>Takes an event, or refuses it and keeps it as it was sent.</summary>
    public void Add(ReadOnlySpan<byte> json, in EventFields fields, int index)
    {
        // The browser's old performance events are dropped without a word, as PostHog does.
        if (fields.Name.IsString && IsPerformanceEvent(json, fields.Name)) return;

        int mark = _payload.Length;
        var reason = EventRules.CheckShape(fields, limits);
        if (reason == RejectionReason.None) reason = WriteEvent(json, fields);
        if (reason == RejectionReason.None)
        {
            AcceptedCount++;
            return;
        }

        _payload.Truncate(mark);
        Refuse(json, fields.Whole, index, rejections[reason]);
    }

    public void Refuse(ReadOnlySpan<byte> json, JsonSlice whole, int index, Rejection rejection)
    {
        RefusedCount++;
        FirstRefusal ??= rejection;
        if (_refused.Count < limits.MaxListedRefusals) _refused.Add(new RefusedEvent(index, rejection));

        var raw = whole.IsString ? json.Slice(whole.Start - 1, whole.Length + 2) : whole.Raw(json);
        var row = new RowWriter(_payload.Reserve(RowOverhead + (3 * rejection.Detail.Length) + raw.Length));
        row.Skip(sizeof(int));
        row.WriteByte(EventPayload.RefusedKind);
        row.WriteByte((byte)rejection.Reason);
        row.WriteInt32(index);
        row.WriteShort(rejection.Detail);
        row.WriteLong(raw);
        Close(ref row);
    }

    /// <summary>A property name without its escapes; valid until the next.</summary>
    public ReadOnlySpan<byte> UnescapedKey(ReadOnlySpan<byte> json, JsonSlice key) =>
        _key.AsSpan(0, key.CopyText(json, _key));

    public void Clear()
    {
        _payload.Clear();
        _toCorrect.Clear();
        _refused.Clear();
        AcceptedCount = 0;
        RefusedCount = 0;
        FirstRefusal = null;
    }

    public void Dispose() => _payload.Dispose();

    /// <summary>
    /// Writes the row and checks its texts where they then stand, without their escapes. The caller takes back a row
    /// that is refused.
    /// </summary>
    private RejectionReason WriteEvent(ReadOnlySpan<byte> json, in EventFields fields)
    {
        if (!EventValues.TryReadUuid(json, fields.Uuid, out var clientUuid)) return RejectionReason.BadUuid;

        // Everything in the row is a part of the event, and a promoted property or an inner id a second time.
        var row = new RowWriter(_payload.Reserve(RowOverhead + (2 * fields.Whole.Length)));
        row.Skip(sizeof(int));
        row.WriteByte(EventPayload.EventKind);
        row.WriteByte(FlagsOf(fields, clientUuid));
        long? toCorrect = WriteTimes(ref row, json, fields, clientUuid);
        row.WriteUuid(clientUuid ?? _uuids.Next(_now));

        var name = WriteName(ref row, json, fields.Name);
        var reason = EventRules.CheckName(name, limits);
        if (reason != RejectionReason.None) return reason;

        var id = row.WriteShort(json, fields.DistinctId.IsMissing ? fields.Properties.DistinctId : fields.DistinctId);
        reason = EventRules.CheckDistinctId(id, limits);
        if (reason == RejectionReason.None) reason = EventRules.CheckCookieless(fields.Properties.CookielessMode);
        if (reason != RejectionReason.None) return reason;

        WritePromoted(ref row, json, fields.Properties);
        WriteProperties(ref row, json, fields);

        // Only now is it sure that the row stays where it is.
        if (toCorrect is { } clientMicros)
            _toCorrect.Add((_payload.Length + sizeof(int) + EventPayload.TimestampOffset, clientMicros));
        Close(ref row);
        return RejectionReason.None;
    }

    private ReadOnlySpan<byte> WriteName(ref RowWriter row, ReadOnlySpan<byte> json, JsonSlice name) =>
        name.IsMissing && _isEngage ? row.WriteShort("$identify"u8) : row.WriteShort(json, name);

    /// <summary>Returns the client's time if it is to be corrected once its clock is known.</summary>
    private long? WriteTimes(
        ref RowWriter row, ReadOnlySpan<byte> json, in EventFields fields, EventUuid? clientUuid)
    {
        long? client = EventValues.ReadTime(json, fields.Timestamp);
        long? ago = EventValues.ReadOffset(json, fields.Offset);
        long shown = ago is null ? client ?? _now : _now - ago.Value;

        row.WriteUInt16(EventTime.IdentityDay(client, clientUuid));
        row.WriteInt64(EventTime.Shown(shown, _now));
        return ago is null && !fields.Properties.IgnoresSentAt ? client : null;
    }

    private static byte FlagsOf(in EventFields fields, EventUuid? clientUuid)
    {
        int flags = fields.Properties.HasIp ? EventPayload.HasOwnIpFlag : 0;
        if (clientUuid is null) flags |= EventPayload.OwnUuidFlag;
        return (byte)flags;
    }

    private static void WritePromoted(ref RowWriter row, ReadOnlySpan<byte> json, in PropertyFields properties)
    {
        int countAt = row.Length;
        byte count = 0;
        row.WriteByte(0);
        for (int seen = properties.PromotedSeen; seen != 0; seen &= seen - 1)
        {
            int index = int.TrailingZeroCount(seen);
            var value = properties.Promoted[index];
            if (value.IsMissing) continue;

            int mark = row.Length;
            row.WriteByte((byte)index);
            if (row.TryWriteShort(json, value)) count++;
            else row.Truncate(mark);
        }

        row.PatchByte(countAt, count);
    }

    /// <summary>The properties as sent, and the event's own $set and $set_once inside them.</summary>
    private static void WriteProperties(ref RowWriter row, ReadOnlySpan<byte> json, in EventFields fields)
    {
        var properties = fields.Properties.Whole.IsMissing ? "{}"u8 : fields.Properties.Whole.Raw(json);
        bool addsSet = !fields.Set.IsMissing && !fields.Properties.HasSet;
        bool addsSetOnce = !fields.SetOnce.IsMissing && !fields.Properties.HasSetOnce;

        int lengthAt = row.Length;
        row.Skip(sizeof(int));
        if (!addsSet && !addsSetOnce)
        {
            row.Write(properties);
        }
        else
        {
            row.Write(properties[..^1]);
            bool isEmpty = properties[1..^1].Trim(" \t\r\n"u8).IsEmpty;
            if (addsSet) row.WriteMember("\"$set\":"u8, fields.Set.Raw(json), ref isEmpty);
            if (addsSetOnce) row.WriteMember("\"$set_once\":"u8, fields.SetOnce.Raw(json), ref isEmpty);
            row.WriteByte((byte)'}');
        }

        row.PatchInt32(lengthAt, row.Length - lengthAt - sizeof(int));
    }

    private void Close(ref RowWriter row)
    {
        row.PatchInt32(0, row.Length - sizeof(int));
        _payload.Advance(row.Length);
    }

    private static bool IsPerformanceEvent(ReadOnlySpan<byte> json, JsonSlice name)
    {
        var wanted = "$performance_event"u8;
        if (!name.IsEscaped) return name.Raw(json).SequenceEqual(wanted);
        if (name.Length > 6 * wanted.Length) return false;

        Span<byte> text = stackalloc byte[name.Length];
        return text[..name.CopyText(json, text)].SequenceEqual(wanted);
    }
}
