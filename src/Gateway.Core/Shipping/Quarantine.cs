using System.Buffers;
using System.Collections.Frozen;
using System.IO.Pipelines;
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
/// A deleted project's lines are taken out by a new file that replaces the old one.
/// </summary>
/// <param name="path">The file; only our own user may read it.</param>
/// <param name="time">The clock.</param>
/// <param name="syncDirectory">Makes a new file's name durable; null: as the journal does.</param>
public sealed class Quarantine(string path, TimeProvider time, Action<string>? syncDirectory = null) : IDisposable
{
    private readonly Action<string> _syncDirectory = syncDirectory ?? new SystemDisk().SyncDirectory;
    private readonly SemaphoreSlim _one = new(1);
    private bool _nameIsDurable;

    public string Path => path;

    public void Dispose() => _one.Dispose();

    /// <exception cref="IOException">It could not be kept; the row must be tried again.</exception>
    internal async Task AddAsync(
        IReadOnlyCollection<(QuarantinedRow Row, ClickHouseException Reason)> rows, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await AppendAsync(rows, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Takes the lines of these projects out, durably. A line that cannot be read as ours stays: nobody can say whose
    /// it is. A crash leaves the file as it was or as it shall be.
    /// </summary>
    /// <returns>The lines that are gone, by project.</returns>
    /// <exception cref="IOException">It could not be done; the file is as it was.</exception>
    public async Task<IReadOnlyDictionary<ulong, long>> EraseAsync(
        FrozenSet<ulong> projects, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            // An earlier process may have died over it.
            string draft = path + ".new";
            if (File.Exists(draft)) File.Delete(draft);
            if (!File.Exists(path) || projects.Count == 0) return new Dictionary<ulong, long>();

            var gone = await RewriteAsync(draft, projects, cancellationToken);
            if (gone.Count == 0)
            {
                File.Delete(draft);
                return gone;
            }

            File.Move(draft, path, overwrite: true);
            _syncDirectory(System.IO.Path.GetDirectoryName(path)!);
            return gone;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<Dictionary<ulong, long>> RewriteAsync(
        string draft, FrozenSet<ulong> projects, CancellationToken cancellationToken)
    {
        var gone = new Dictionary<ulong, long>();
        await using var old = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        await using var kept = new FileStream(draft, Options(FileMode.Create));
        var reader = PipeReader.Create(old, new StreamPipeReaderOptions(leaveOpen: true));
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (TakeLine(ref rest, read.IsCompleted, out var line))
            {
                if (ProjectOf(line) is not { } project || !projects.Contains(project))
                    foreach (var piece in line) await kept.WriteAsync(piece, cancellationToken);
                else gone[project] = gone.GetValueOrDefault(project) + 1;
            }

            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) break;
        }

        await reader.CompleteAsync();
        kept.Flush(flushToDisk: true);
        return gone;
    }

    /// <summary>A line with its end; the last one may have none.</summary>
    private static bool TakeLine(
        ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
    {
        var end = rest.PositionOf((byte)'\n');
        line = end is { } at ? rest.Slice(0, rest.GetPosition(1, at)) : rest;
        if (end is null && (!isLast || rest.IsEmpty)) return false;

        rest = rest.Slice(line.End);
        return true;
    }

    /// <summary>Null when it is no line of ours.</summary>
    private static ulong? ProjectOf(in ReadOnlySequence<byte> line)
    {
        var json = new Utf8JsonReader(line);
        try
        {
            if (!JsonDocument.TryParseValue(ref json, out var document)) return null;
            using (document)
            {
                return document.RootElement.ValueKind == JsonValueKind.Object
                    && document.RootElement.TryGetProperty("project_id", out var id)
                    && id.ValueKind == JsonValueKind.Number
                    && id.TryGetUInt64(out ulong project) ? project : null;
            }
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task AppendAsync(
        IReadOnlyCollection<(QuarantinedRow Row, ClickHouseException Reason)> rows, CancellationToken cancellationToken)
    {
        string folder = System.IO.Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        await using var file = new FileStream(path, Options(FileMode.Append));

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

    private static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
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
