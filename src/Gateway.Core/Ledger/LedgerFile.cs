using Gateway.Core.Journal;
using Microsoft.Data.Sqlite;

namespace Gateway.Core.Ledger;

/// <summary>
/// The SQLite file beside a journal's segments: how far the journal was shipped, what became of its events, and the
/// rows that were put aside, all moved on in one transaction. One connection, used by one thread at a time: its owners
/// share <see cref="Lock"/>.
/// </summary>
internal sealed class LedgerFile : IDisposable
{
    private const string Schema =
        """
        CREATE TABLE IF NOT EXISTS progress (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            journal TEXT NOT NULL,
            segment INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            next_sequence INTEGER NOT NULL,
            lost_records INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS minutes (
            project INTEGER NOT NULL,
            minute INTEGER NOT NULL,
            shipped INTEGER NOT NULL,
            quarantined INTEGER NOT NULL,
            erased INTEGER NOT NULL,
            damaged INTEGER NOT NULL,
            refused INTEGER NOT NULL,
            missed INTEGER NOT NULL,
            PRIMARY KEY (project, minute)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS quarantine (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            project INTEGER NOT NULL,
            journal TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            row INTEGER NOT NULL,
            received INTEGER NOT NULL,
            put_aside INTEGER NOT NULL,
            code TEXT NOT NULL,
            reason TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            ip BLOB NOT NULL,
            event BLOB,
            UNIQUE (journal, sequence, row));
        CREATE INDEX IF NOT EXISTS quarantine_of_project ON quarantine (project, id);
        CREATE TABLE IF NOT EXISTS health (
            project INTEGER NOT NULL,
            minute INTEGER NOT NULL,
            waiting INTEGER NOT NULL,
            freshness BLOB NOT NULL,
            PRIMARY KEY (project, minute)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS refusals (
            project INTEGER NOT NULL,
            minute INTEGER NOT NULL,
            reason TEXT NOT NULL,
            requests INTEGER NOT NULL,
            PRIMARY KEY (project, minute, reason)) WITHOUT ROWID;
        """;

    private readonly SqliteConnection _connection;

    private LedgerFile(SqliteConnection connection) => _connection = connection;

    public Lock Lock { get; } = new();

    /// <summary>
    /// For tests that fail or end here: called in each transaction behind its steps, with false, and with true once it
    /// is committed.
    /// </summary>
    internal Action<bool>? OnTransaction { get; set; }

    /// <exception cref="LedgerException">It cannot be opened; the message is for the operator.</exception>
    public static LedgerFile Open(string path)
    {
        SqliteConnection? connection = null;
        try
        {
            MakePrivate(path);
            connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWrite,
                Pooling = false,
            }.ToString());
            connection.Open();
            return Over(connection);
        }
        catch (Exception exception) when (exception is SqliteException or UnauthorizedAccessException or IOException)
        {
            connection?.Dispose();
            throw new LedgerException(
                $"The ledger '{path}' cannot be opened: {exception.Message}. It counts what was shipped and holds what "
                + "was put aside. Put a whole copy back, or move it away: then counts begin anew, and what is stored "
                + "already is recognised.",
                exception);
        }
    }

    /// <summary>On an open connection, which is its own from now on.</summary>
    internal static LedgerFile Over(SqliteConnection connection)
    {
        // One process has it open, the journal's lock says so: no shared memory is needed. A commit is on disk.
        var file = new LedgerFile(connection);
        file.Execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
            + "PRAGMA secure_delete = ON;");
        file.Execute(Schema);
        return file;
    }

    public LedgerProgress? ReadProgress()
    {
        using var command = Command("SELECT journal, segment, offset, next_sequence, lost_records FROM progress");
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return null;

        return new LedgerProgress(
            reader.GetString(0),
            new JournalPosition((ulong)reader.GetInt64(1), reader.GetInt64(2)),
            (ulong)reader.GetInt64(3),
            reader.GetInt64(4));
    }

    public void WriteProgress(LedgerProgress progress)
    {
        using var command = Command(
            """
            INSERT INTO progress VALUES (1, $journal, $segment, $offset, $next, $lost)
            ON CONFLICT (one) DO UPDATE SET journal = $journal, segment = $segment, offset = $offset,
                next_sequence = $next, lost_records = $lost
            """,
            ("$journal", progress.JournalId),
            ("$segment", (long)progress.Position.Segment),
            ("$offset", progress.Position.Offset),
            ("$next", (long)progress.NextSequence),
            ("$lost", progress.LostRecords));
        command.ExecuteNonQuery();
    }

    public void AddMinutes(IReadOnlyDictionary<MinuteKey, Settlement.Counts> minutes)
    {
        using var command = Command(
            """
            INSERT INTO minutes VALUES ($project, $minute, $shipped, $quarantined, $erased, $damaged, $refused, $missed)
            ON CONFLICT (project, minute) DO UPDATE SET
                shipped = shipped + excluded.shipped, quarantined = quarantined + excluded.quarantined,
                erased = erased + excluded.erased, damaged = damaged + excluded.damaged,
                refused = refused + excluded.refused, missed = missed + excluded.missed
            """);
        string[] names =
            ["$project", "$minute", "$shipped", "$quarantined", "$erased", "$damaged", "$refused", "$missed"];
        var parameters = Array.ConvertAll(names, name => command.Parameters.Add(name, SqliteType.Integer));
        foreach (var (key, counts) in minutes)
        {
            long[] values =
            [
                (long)key.ProjectId, key.Minute, counts.Shipped, counts.Quarantined, counts.Erased, counts.Damaged,
                counts.Refused, counts.Missed,
            ];
            for (int i = 0; i < values.Length; i++) parameters[i].Value = values[i];
            command.ExecuteNonQuery();
        }
    }

    public List<LedgerMinute> ReadMinutes(ulong projectId, int from, int to)
    {
        using var command = Command(
            """
            SELECT minute, shipped, quarantined, erased, damaged, refused, missed FROM minutes
            WHERE project = $project AND minute BETWEEN $from AND $to ORDER BY minute
            """,
            ("$project", (long)projectId),
            ("$from", from),
            ("$to", to));
        using var reader = command.ExecuteReader();
        var minutes = new List<LedgerMinute>();
        while (reader.Read())
        {
            minutes.Add(new LedgerMinute
            {
                Minute = reader.GetInt32(0),
                Shipped = reader.GetInt64(1),
                Quarantined = reader.GetInt64(2),
                Erased = reader.GetInt64(3),
                Damaged = reader.GetInt64(4),
                Refused = reader.GetInt64(5),
                Missed = reader.GetInt64(6),
            });
        }

        return minutes;
    }

    /// <summary>Of what was counted or put aside; 0: nothing was.</summary>
    public ulong GreatestProject() => Read(() =>
    {
        using var command = Command(
            """
            SELECT max(coalesce((SELECT max(project) FROM minutes), 0),
                coalesce((SELECT max(project) FROM quarantine), 0))
            """);
        return (ulong)(long)command.ExecuteScalar()!;
    });

    /// <summary>Project by project, by the table's own key: what is kept is not walked for what is old.</summary>
    /// <param name="before">Minutes before this one.</param>
    /// <param name="table">Whose key begins with project and minute.</param>
    public void ForgetMinutes(int before, string table = "minutes")
    {
        using var command = Command(
            $"""
            WITH RECURSIVE projects (id) AS (
                SELECT min(project) FROM {table}
                UNION ALL
                SELECT (SELECT min(project) FROM {table} WHERE project > id) FROM projects WHERE id IS NOT NULL)
            DELETE FROM {table} WHERE project IN (SELECT id FROM projects) AND minute < $before
            """,
            ("$before", before));
        command.ExecuteNonQuery();
    }

    /// <summary>Runs the steps as one: all of them are on disk when this returns, or none is.</summary>
    /// <exception cref="LedgerException">None is.</exception>
    public void Transact(Action steps)
    {
        SqliteTransaction? transaction = null;
        try
        {
            transaction = _connection.BeginTransaction();
            steps();
            OnTransaction?.Invoke(false);
            transaction.Commit();
            OnTransaction?.Invoke(true);
        }
        catch (SqliteException exception)
        {
            throw new LedgerException($"The ledger cannot be written: {exception.Message}", exception);
        }
        finally
        {
            End(transaction);
        }
    }

    /// <summary>What was deleted is overwritten in the file; this takes it out of the log beside it too.</summary>
    /// <exception cref="LedgerException">It is still there.</exception>
    public void Purge() => Read(() =>
    {
        Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        return true;
    });

    /// <exception cref="LedgerException">It cannot be read now.</exception>
    public T Read<T>(Func<T> query)
    {
        lock (Lock)
        {
            try
            {
                return query();
            }
            catch (SqliteException exception)
            {
                throw new LedgerException($"The ledger cannot be read: {exception.Message}", exception);
            }
        }
    }

    public SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        return command;
    }

    public void Dispose() => _connection.Dispose();

    /// <summary>A full disk has ended it already; to say so again would hide why.</summary>
    private static void End(SqliteTransaction? transaction)
    {
        try
        {
            transaction?.Dispose();
        }
        catch (SqliteException)
        {
        }
    }

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>What was put aside is other people's. SQLite gives its side file the mode of the file itself.</summary>
    private static void MakePrivate(string path)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using (new FileStream(path, options))
        {
        }

        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, OwnerOnly);
    }
}

/// <summary>How far a journal was shipped.</summary>
/// <param name="JournalId">Of the journal that the ledger counts.</param>
/// <param name="Position">Behind the last record that was settled.</param>
/// <param name="NextSequence">The next record's; 0: none was settled yet.</param>
/// <param name="LostRecords">Records that a sequence was given to and that could not be read.</param>
internal sealed record LedgerProgress(
    string JournalId, JournalPosition Position, ulong NextSequence, long LostRecords);
