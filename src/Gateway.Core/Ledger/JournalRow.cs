using Gateway.Core.Events;

namespace Gateway.Core.Ledger;

/// <summary>One row of a journal record, with what that says of it. Journal, sequence and row name it.</summary>
/// <param name="Sequence">Of its record; 0 when the record had none.</param>
/// <param name="Row">Its place in the record, from 0.</param>
/// <param name="ProjectId">Whose row it is.</param>
/// <param name="ReceivedAtMicros">Microseconds since 1970-01-01 UTC.</param>
/// <param name="Ip">The client's address, empty when none is kept.</param>
/// <param name="Bytes">From the kind byte on, see <see cref="EventPayload"/>.</param>
public sealed record JournalRow(
    ulong Sequence, uint Row, ulong ProjectId, long ReceivedAtMicros, byte[] Ip, byte[] Bytes)
{
    public bool IsEvent => Bytes[0] == EventPayload.EventKind;
}
