using System.Collections.Frozen;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Gateway.Core.Ledger;

/// <summary>
/// Rows that cannot be stored, with their reasons, until somebody sends them again or deletes them: events that
/// ClickHouse refuses while it accepts others, and events that capture refused beside good ones. Kept in the ledger's
/// file in one step with the position, so that a row is either here or still in the journal.
/// </summary>
/// <remarks>
/// An event that was accepted is never dropped: when there is no room for it, shipping stands still. What capture
/// refused was said to be refused: it is kept as far as half of the quota reaches, a tenth of that for one project, so
/// that a public token cannot fill the room that accepted events may need.
/// </remarks>
public sealed class Quarantine
{
    private const int RowOverheadBytes = 128;
    private const int ShareOfRefused = 2;
    private const int ShareOfProject = 10;

    private readonly LedgerFile _file;
    private readonly TimeProvider _time;
    private readonly Dictionary<ulong, long> _bytesOf = [];
    private long _bytes;
    private long _rows;
    private long _dropped;
    private bool _hasTombstones;

    internal Quarantine(LedgerFile file, long quotaBytes, TimeProvider time)
    {
        (_file, QuotaBytes, _time) = (file, quotaBytes, time);
        Measure();
    }

    public long QuotaBytes { get; }

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Rows of all projects.</summary>
    public long Rows => Volatile.Read(ref _rows);

    /// <summary>Events refused at capture that there was no room for, since the start.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>How many rows a project has here, and a part of them, the latest first.</summary>
    public (long Count, List<QuarantineEntry> Part) List(ulong projectId, int offset, int limit)
    {
        return _file.Read(() =>
        {
            using var count = _file.Command(
                "SELECT count(*) FROM quarantine WHERE project = $project AND event IS NOT NULL",
                ("$project", (long)projectId));
            long all = (long)count.ExecuteScalar()!;
            return (all, Read(
                "project = $project ORDER BY id DESC LIMIT $limit OFFSET $offset",
                ("$project", (long)projectId), ("$limit", limit), ("$offset", offset)));
        });
    }

    /// <summary>Null when the project has no such row.</summary>
    public QuarantineEntry? Find(ulong projectId, long id)
    {
        return _file.Read(() =>
            Read("project = $project AND id = $id", ("$project", (long)projectId), ("$id", id)).FirstOrDefault());
    }

    /// <summary>The greatest id of a project's rows; 0: it has none.</summary>
    public long LastId(ulong projectId) => _file.Read(() =>
    {
        using var command = _file.Command(
            "SELECT coalesce(max(id), 0) FROM quarantine WHERE project = $project AND event IS NOT NULL",
            ("$project", (long)projectId));
        return (long)command.ExecuteScalar()!;
    });

    /// <summary>Ids of a project's rows, the oldest first, behind one of them.</summary>
    public List<long> Ids(ulong projectId, long after, int limit)
    {
        return _file.Read(() =>
        {
            using var command = _file.Command(
                """
                SELECT id FROM quarantine WHERE project = $project AND id > $after AND event IS NOT NULL
                ORDER BY id LIMIT $limit
                """,
                ("$project", (long)projectId), ("$after", after), ("$limit", limit));
            using var reader = command.ExecuteReader();
            var ids = new List<long>();
            while (reader.Read()) ids.Add(reader.GetInt64(0));
            return ids;
        });
    }

    /// <summary>Takes rows of a project out, durably; null: all of them. Returns how many there were.</summary>
    /// <exception cref="LedgerException">None was.</exception>
    public long Delete(ulong projectId, long? id)
    {
        // A mark of each stays until the store was asked for its record: it is neither there nor missing.
        string which = id is null ? "" : " AND id = $id";
        return _file.Read(() =>
        {
            using var sums = _file.Command(
                "SELECT count(*), coalesce(sum(bytes), 0) FROM quarantine "
                + "WHERE project = $project AND event IS NOT NULL" + which,
                ("$project", (long)projectId), ("$id", id ?? 0));
            using var reader = sums.ExecuteReader();
            reader.Read();
            var (rows, bytes) = (reader.GetInt64(0), reader.GetInt64(1));
            if (rows == 0) return 0;

            _file.Transact(() =>
            {
                using var command = _file.Command(
                    "UPDATE quarantine SET event = NULL, ip = x'', reason = '', bytes = 0 "
                    + "WHERE project = $project AND event IS NOT NULL" + which,
                    ("$project", (long)projectId), ("$id", id ?? 0));
                command.ExecuteNonQuery();
            });
            Count(projectId, -bytes, -rows);
            _hasTombstones = true;
            return rows;
        });
    }

    /// <summary>Takes all rows of these projects out, durably. Returns how many rows each of them had.</summary>
    /// <exception cref="LedgerException">Those of some projects may be gone; asked again, the rest goes.</exception>
    public IReadOnlyDictionary<ulong, long> Erase(FrozenSet<ulong> projects)
    {
        var erased = new Dictionary<ulong, long>();
        lock (_file.Lock)
        {
            foreach (ulong project in _bytesOf.Keys.Where(projects.Contains).ToList())
            {
                _file.Transact(() =>
                {
                    using var command = _file.Command(
                        "DELETE FROM quarantine WHERE project = $project", ("$project", (long)project));
                    erased[project] = command.ExecuteNonQuery();
                });
            }

            Measure();
        }

        if (erased.Count > 0) _file.Purge();
        return erased;
    }

    /// <summary>
    /// Takes all rows of another quarantine over, whatever the quota: they are kept already. Returns how many there
    /// were. Done again after a death in between, it takes no row twice.
    /// </summary>
    /// <exception cref="LedgerException">None was, or they are still there too.</exception>
    /// <param name="other">That of a journal whose records are all in the store.</param>
    /// <param name="journalId">Of that journal.</param>
    /// <param name="dead">Projects whose rows are left behind: they were deleted.</param>
    public long Adopt(Quarantine other, string journalId, FrozenSet<ulong> dead)
    {
        other.Erase(dead);
        var rows = other._file.Read(() => other.Read("1 = 1 ORDER BY id"));
        if (rows.Count == 0) return 0;

        lock (_file.Lock)
        {
            _file.Transact(() =>
            {
                foreach (var entry in rows) Insert(entry, journalId);
            });
            Measure();
        }

        other.Clear();
        return rows.Count;
    }

    /// <summary>Which rows of a range of our records are, or were, here.</summary>
    internal HashSet<(ulong Sequence, uint Row)> RowsOf(ulong firstSequence, ulong lastSequence)
    {
        return _file.Read(() =>
        {
            using var command = _file.Command(
                "SELECT sequence, row FROM quarantine WHERE journal = '' AND sequence BETWEEN $first AND $last",
                ("$first", (long)firstSequence), ("$last", (long)lastSequence));
            using var reader = command.ExecuteReader();
            var rows = new HashSet<(ulong, uint)>();
            while (reader.Read()) rows.Add(((ulong)reader.GetInt64(0), (uint)reader.GetInt64(1)));
            return rows;
        });
    }

    /// <summary>Forgets the marks of deleted rows whose records the store was asked for.</summary>
    internal void ForgetMarks(ulong beforeSequence)
    {
        if (!Volatile.Read(ref _hasTombstones)) return;

        lock (_file.Lock)
        {
            _file.Transact(() =>
            {
                using var command = _file.Command(
                    "DELETE FROM quarantine WHERE event IS NULL AND (journal <> '' OR sequence < $before)",
                    ("$before", (long)beforeSequence));
                command.ExecuteNonQuery();
            });
            Measure();
        }
    }

    /// <summary>Inside the ledger's transaction.</summary>
    /// <returns>Rows refused at capture that there was no room for: for <see cref="CountDropped"/>.</returns>
    /// <exception cref="LedgerException">There is no room for an accepted event.</exception>
    internal long Add(IReadOnlyList<QuarantinedRow> rows)
    {
        long dropped = 0;
        foreach (var row in rows)
        {
            long bytes = BytesOf(row.Row, row.Reason);
            if (row.Row.IsEvent) InsistOnRoom(bytes);
            if (!row.Row.IsEvent && !HasRoomForRefused(row.Row.ProjectId, bytes)) dropped++;
            else if (Insert(row, bytes)) Count(row.Row.ProjectId, bytes);
        }

        return dropped;
    }

    /// <summary>Once the transaction is on disk: one that failed is tried again, and drops the same rows.</summary>
    internal void CountDropped(long rows) => Volatile.Write(ref _dropped, _dropped + rows);

    /// <summary>After a transaction that did not come to pass, or one that took rows out.</summary>
    internal void Measure() => _file.Read(() =>
    {
        _bytesOf.Clear();
        (_bytes, _rows, _hasTombstones) = (0, 0, false);
        using var command = _file.Command(
            "SELECT project, sum(bytes), count(event), count(*) - count(event) FROM quarantine GROUP BY project");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            _bytesOf[(ulong)reader.GetInt64(0)] = reader.GetInt64(1);
            _bytes += reader.GetInt64(1);
            _rows += reader.GetInt64(2);
            _hasTombstones |= reader.GetInt64(3) > 0;
        }

        return _rows;
    });

    private void InsistOnRoom(long bytes)
    {
        if (_bytes + bytes <= QuotaBytes) return;

        throw new LedgerException(
            $"The quarantine has reached its quota of {QuotaBytes} bytes, and accepted events wait for room in it: "
            + "replay or delete what is there, or raise Gateway:Quarantine:QuotaBytes.");
    }

    private bool HasRoomForRefused(ulong projectId, long bytes)
    {
        long most = QuotaBytes / ShareOfRefused;
        return _bytes + bytes <= most
            && _bytesOf.GetValueOrDefault(projectId) + bytes <= most / ShareOfProject;
    }

    private void Count(ulong projectId, long bytes, long rows = 1)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_bytesOf, projectId, out _) += bytes;
        _bytes += bytes;
        _rows += rows;
    }

    private bool Insert(QuarantinedRow row, long bytes)
    {
        // The same row may have been put aside by a try whose process died: then it is here already.
        using var command = _file.Command(
            """
            INSERT OR IGNORE INTO quarantine
                (project, journal, sequence, row, received, put_aside, code, reason, ip, event, bytes)
            VALUES ($project, '', $sequence, $row, $received, $now, $code, $reason, $ip, $event, $bytes)
            """,
            ("$project", (long)row.Row.ProjectId),
            ("$sequence", (long)row.Row.Sequence),
            ("$row", (long)row.Row.Row),
            ("$received", row.Row.ReceivedAtMicros),
            ("$now", _time.GetUtcNow().ToUnixMicroseconds()),
            ("$code", row.Code),
            ("$reason", row.Reason),
            ("$ip", row.Row.Ip),
            ("$event", row.Row.Bytes),
            ("$bytes", bytes));
        return command.ExecuteNonQuery() > 0;
    }

    private void Insert(QuarantineEntry entry, string journalId)
    {
        using var command = _file.Command(
            """
            INSERT OR IGNORE INTO quarantine
                (project, journal, sequence, row, received, put_aside, code, reason, ip, event, bytes)
            VALUES ($project, $journal, $sequence, $row, $received, $aside, $code, $reason, $ip, $event, $bytes)
            """,
            ("$project", (long)entry.Row.ProjectId),
            ("$journal", journalId),
            ("$sequence", (long)entry.Row.Sequence),
            ("$row", (long)entry.Row.Row),
            ("$received", entry.Row.ReceivedAtMicros),
            ("$aside", entry.PutAsideAtMicros),
            ("$code", entry.Code),
            ("$reason", entry.Reason),
            ("$ip", entry.Row.Ip),
            ("$event", entry.Row.Bytes),
            ("$bytes", BytesOf(entry.Row, entry.Reason)));
        command.ExecuteNonQuery();
    }

    /// <summary>All of its records are in the store and forgotten: no mark is needed.</summary>
    private void Clear()
    {
        lock (_file.Lock)
        {
            _file.Transact(() =>
            {
                using var command = _file.Command("DELETE FROM quarantine");
                command.ExecuteNonQuery();
            });
            Measure();
        }
    }

    private static long BytesOf(JournalRow row, string reason) =>
        RowOverheadBytes + row.Bytes.Length + row.Ip.Length + (2 * reason.Length);

    private List<QuarantineEntry> Read(string where, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using var command = _file.Command(
            "SELECT id, project, sequence, row, received, put_aside, code, reason, ip, event, journal FROM quarantine "
            + "WHERE event IS NOT NULL AND " + where,
            values);
        using var reader = command.ExecuteReader();
        var entries = new List<QuarantineEntry>();
        while (reader.Read()) entries.Add(ReadEntry(reader));
        return entries;
    }

    private static QuarantineEntry ReadEntry(SqliteDataReader reader) => new(
        reader.GetInt64(0),
        new JournalRow(
            (ulong)reader.GetInt64(2),
            (uint)reader.GetInt64(3),
            (ulong)reader.GetInt64(1),
            reader.GetInt64(4),
            reader.GetFieldValue<byte[]>(8),
            reader.GetFieldValue<byte[]>(9)),
        reader.GetInt64(5),
        reader.GetString(6),
        reader.GetString(7),
        reader.GetString(10));
}

/// <summary>A row as the quarantine has it.</summary>
/// <param name="Id">Never used again.</param>
/// <param name="Row">The row.</param>
/// <param name="PutAsideAtMicros">Microseconds since 1970-01-01 UTC.</param>
/// <param name="Code">Of a refusal at capture its code; else ClickHouse's, as <c>clickhouse_469</c>.</param>
/// <param name="Reason">For people.</param>
/// <param name="JournalId">Of another journal that it was taken over from; empty: our own.</param>
public sealed record QuarantineEntry(
    long Id, JournalRow Row, long PutAsideAtMicros, string Code, string Reason, string JournalId);
