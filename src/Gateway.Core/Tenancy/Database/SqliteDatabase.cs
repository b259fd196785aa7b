using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// The SQLite file: only the owner may read it (it holds the installation's secret), and one gateway at a time may have
/// it open, since the fence's authority is in the process.
/// </summary>
internal sealed class SqliteDatabase : ControlDatabase
{
    public const string FileName = "control.db";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _lock;
    private readonly string _connectionString;

    private SqliteDatabase(FileStream fileLock, string connectionString, TimeProvider time)
        : base(time)
    {
        _lock = fileLock;
        _connectionString = connectionString;
    }

    /// <exception cref="ControlPlaneException">Another gateway has it, or it cannot be opened or migrated.</exception>
    public static async Task<SqliteDatabase> OpenAsync(
        string folder, TimeProvider time, CancellationToken cancellationToken)
    {
        FileStream? fileLock = null;
        try
        {
            PrivateFolder.Make(folder);
            string path = Path.Combine(folder, FileName);
            fileLock = Lock(path + ".lock");

            // SQLite gives its side files (-wal, -shm) the mode of the file itself.
            using (OpenPrivate(path, FileShare.ReadWrite))
            {
            }

            var database = new SqliteDatabase(fileLock, ConnectionString(path), time);
            await database.PrepareAsync(time, cancellationToken);
            return database;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DbException)
        {
            if (fileLock is not null) await fileLock.DisposeAsync();
            throw new ControlPlaneException(
                $"The control database in {folder} cannot be opened: {exception.Message}", exception);
        }
        catch
        {
            if (fileLock is not null) await fileLock.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await using (var connection = new SqliteConnection(_connectionString)) SqliteConnection.ClearPool(connection);
        await base.DisposeAsync();
        await _lock.DisposeAsync();
    }

    protected override async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);

            // A commit that was reported survives a power cut; said anew, since it belongs to the connection.
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA synchronous = FULL";
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>There is one writer: nobody comes between.</summary>
    protected override bool IsConflict(DbException exception) => false;

    private static FileStream Lock(string path)
    {
        try
        {
            return OpenPrivate(path, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new ControlPlaneException(
                $"Another gateway uses {Path.GetDirectoryName(path)}: give this one a data folder of its own, "
                + "and both PostgreSQL to share (ConnectionStrings:Postgres).", exception);
        }
    }

    private static FileStream OpenPrivate(string path, FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = share,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;

        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != OwnerOnly)
            File.SetUnixFileMode(path, OwnerOnly);

        return file;
    }

    private static string ConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWrite,
        ForeignKeys = true,
        Pooling = true,
        DefaultTimeout = (int)WriteWait.TotalSeconds,
    }.ToString();

    private async Task PrepareAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        await connection.ExecuteAsync("PRAGMA journal_mode = WAL");
        await Migrations.ApplyAsync(connection, Dialect.Sqlite, time, cancellationToken);
    }
}
