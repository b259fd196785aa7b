using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Journal;

namespace Gateway.Core.Shipping;

/// <summary>An event row as the journal has it, with what its record says of it.</summary>
/// <param name="ProjectId">Whose row it is.</param>
/// <param name="ReceivedAtMicros">Microseconds since 1970-01-01 UTC.</param>
/// <param name="Ip">The client's address, empty when none is kept.</param>
/// <param name="Row">From the kind byte on, see <see cref="EventPayload"/>.</param>
internal sealed record QuarantinedRow(ulong ProjectId, long ReceivedAtMicros, byte[] Ip, byte[] Row);

/// <summary>
/// Rows that ClickHouse refuses while it accepts others: a local file, one JSON object a line, appended and synced
/// before the journal forgets them. <c>row</c> is the journal's own bytes, so that nothing of it is lost. A line may
/// stand there twice, when the gateway died between the two; never in half and counted: a torn last line is its own.
/// </summary>
/// <param name="path">The file; only our own user may read it.</param>
/// <param name="time">The clock.</param>
/// <param name="syncDirectory">Makes a new file's name durable; null: as the journal does.</param>
public sealed class Quarantine(string path, TimeProvider time, Action<string>? syncDirectory = null)
{
    private readonly Action<string> _syncDirectory = syncDirectory ?? new SystemDisk().SyncDirectory;
    private bool _nameIsDurable;

    public string Path => path;

    /// <exception cref="IOException">It could not be kept; the row must be tried again.</exception>
    internal async Task AddAsync(
        IReadOnlyCollection<(QuarantinedRow Row, ClickHouseException Reason)> rows, CancellationToken cancellationToken)
    {
        string folder = System.IO.Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        await using var file = new FileStream(path, Options());

        // A line that a crash tore is closed first, so that it spoils no other.
        if (file.Length > 0) file.Write("\n"u8);
        foreach (var (row, reason) in rows)
        {
            await file.WriteAsync(Line(row, reason), cancellationToken);
        }

        file.Flush(flushToDisk: true);
        if (_nameIsDurable) return;

        // The file may be new, or the process that made it died before this: once in each process.
        _syncDirectory(folder);
        _nameIsDurable = true;
    }

    private static FileStreamOptions Options()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.Read,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    private ReadOnlyMemory<byte> Line(QuarantinedRow quarantined, ClickHouseException reason)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            var row = new EventRow(quarantined.Row);
            json.WriteStartObject();
            json.WriteString("quarantined_at", time.GetUtcNow());
            json.WriteNumber("code", reason.Code);
            json.WriteString("reason", reason.Message);
            json.WriteNumber("project_id", quarantined.ProjectId);
            json.WriteNumber("received_at", quarantined.ReceivedAtMicros);
            json.WriteString("ip", quarantined.Ip);
            json.WriteString("event", Encoding.UTF8.GetString(row.Name));
            json.WriteString("distinct_id", Encoding.UTF8.GetString(row.DistinctId));
            json.WriteString("properties", Encoding.UTF8.GetString(row.Properties));
            json.WriteBase64String("row", quarantined.Row);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        return line.WrittenMemory;
    }
}
