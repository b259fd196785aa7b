using System.Text;
using Gateway.Core.Events;
using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Shipping;

/// <summary>A record that was handed to the journal.</summary>
internal sealed class ModelRecord(ulong projectId, long receivedAt, byte[] payload)
{
    /// <summary>No two records have the same: it names the record.</summary>
    public long ReceivedAt { get; } = receivedAt;

    public ulong ProjectId { get; } = projectId;

    public byte[] Payload { get; } = payload;

    /// <summary>0: not known to be durable.</summary>
    public ulong Sequence { get; set; }

    /// <summary>Behind it.</summary>
    public JournalPosition End { get; set; }

    public List<ModelEvent> Events { get; } = EventsOf(projectId, payload, out _);

    /// <summary>Places of what capture refused.</summary>
    public List<uint> Refused
    {
        get
        {
            EventsOf(ProjectId, Payload, out var refused);
            return refused;
        }
    }

    private static List<ModelEvent> EventsOf(ulong projectId, byte[] payload, out List<uint> refused)
    {
        List<ModelEvent> events = [];
        refused = [];
        if (payload.Length == 0) return events;

        uint number = 0;
        var reader = new EventPayloadReader(payload);
        for (; reader.TryReadRow(out var row); number++)
        {
            if (row[0] == EventPayload.EventKind) events.Add(new ModelEvent(number, IdentityOf(projectId, row)));
            else refused.Add(number);
        }

        return events;
    }

    private static (ulong, ushort, string, Guid) IdentityOf(ulong projectId, ReadOnlySpan<byte> row)
    {
        var fields = new EventRow(row);
        byte[] uuid = fields.Uuid.ToArray();
        uuid.AsSpan(0, 8).Reverse();
        uuid.AsSpan(8, 8).Reverse();
        return (projectId, fields.Day, Encoding.UTF8.GetString(fields.Name), new Guid(uuid, bigEndian: true));
    }
}

/// <summary>An event of a record.</summary>
/// <param name="Row">Its place in the record.</param>
/// <param name="Identity">Project, day, name and uuid.</param>
internal sealed record ModelEvent(uint Row, (ulong Project, ushort Day, string Name, Guid Uuid) Identity)
{
    /// <summary>The store lost it, after it had been settled, and nobody put it back yet.</summary>
    public bool IsLost { get; set; }
}

internal sealed class ShipperFigures
{
    public long Lives { get; set; }

    public long Crashes { get; set; }

    public long Faults { get; set; }

    /// <summary>Events.</summary>
    public long Acked { get; set; }

    public long Late { get; set; }

    public long PutAside { get; set; }

    /// <summary>Events put aside after failures that said nothing, though one of those had stored them.</summary>
    public long Both { get; set; }

    /// <summary>Events that the store lost, and has again.</summary>
    public long Losses { get; set; }

    public long Alarms { get; set; }

    public void Add(ShipperFigures other)
    {
        Lives += other.Lives;
        Crashes += other.Crashes;
        Faults += other.Faults;
        Acked += other.Acked;
        Late += other.Late;
        PutAside += other.PutAside;
        Both += other.Both;
        Losses += other.Losses;
        Alarms += other.Alarms;
    }
}

/// <summary>What must never be; no exception that the product knows, so that nobody carries on.</summary>
internal sealed class ViolationException(string message) : Exception(message);
