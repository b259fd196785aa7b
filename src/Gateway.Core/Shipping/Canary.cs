using System.Buffers;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Shipping;

/// <summary>
/// One row of our own that nothing can be wrong with, to tell a server that takes nothing from rows that it does not
/// take. Its project, 0, is nobody's, so that no query reads it; its identity is always the same, so that one is kept.
/// </summary>
internal static class Canary
{
    public const string EventName = "$gateway_canary";

    /// <summary>Noon of 2001-01-01 UTC in microseconds: its month is a partition that no event lies in.</summary>
    private const long Time = 978_350_400_000_000;

    /// <summary>A block of <see cref="EventsTable.Columns"/> with this one row.</summary>
    public static ReadOnlySequence<byte> Block()
    {
        var block = new NativeBlock(EventsTable.Columns);
        var columns = block.Columns;
        columns[EventsTable.ProjectId].WriteUInt64(0);
        columns[EventsTable.Day].WriteUInt16((ushort)(Time / 86_400_000_000));
        columns[EventsTable.Event].WriteString("$gateway_canary"u8);
        columns[EventsTable.Uuid].WriteUuid(new byte[16]);
        columns[EventsTable.DistinctId].WriteString("gateway"u8);
        columns[EventsTable.Timestamp].WriteInt64(Time);
        columns[EventsTable.ReceivedAt].WriteInt64(Time);
        columns[EventsTable.Properties].WriteString("{}"u8);
        columns[EventsTable.Journal].WriteUuid(new byte[16]);
        columns[EventsTable.Sequence].WriteUInt64(0);
        columns[EventsTable.Row].WriteUInt32(0);
        foreach (var promoted in columns[EventsTable.FirstPromoted..]) promoted.WriteString(default);
        return block.Finish(1);
    }
}
