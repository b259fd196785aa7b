using System.Data;
using System.Data.Common;
using Dapper;
using Gateway.Core.Tokens;
using Microsoft.Data.Sqlite;

namespace Gateway.Core.Tenancy;

/// <summary>
/// The control plane's SQLite file: who may open it, how it is written, and what its failures are called. Only the
/// owner may read it (it holds the installation's secret), and one gateway at a time may have it open, since the
/// fence's authority is in the process.
/// </summary>
internal sealed class ControlDatabase : IAsyncDisposable
{
    public const string FileName = "control.db";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnly | UnixFileMode.UserExecute;

    private static readonly TimeSpan WriteWait = TimeSpan.FromSeconds(2);

    private readonly FileStream _lock;
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writer = new(1);

    private ControlDatabase(FileStream fileLock, string connectionString)
    {
        _lock = fileLock;
        _connectionString = connectionString;
    }

    /// <exception cref="ControlPlaneException">Another gateway has it, or it cannot be opened or migrated.</exception>
    public static async Task<ControlDatabase> OpenAsync(
        string folder, TimeProvider time, CancellationToken cancellationToken)
    {
        FileStream? fileLock = null;
        try
        {
            MakePrivateFolder(folder);
            string path = Path.Combine(folder, FileName);
            fileLock = Lock(path + ".lock");

            // SQLite gives its side files (-wal, -shm) the mode of the file itself.
            using (OpenPrivate(path, FileShare.ReadWrite))
            {
            }

            var database = new ControlDatabase(fileLock, ConnectionString(path));
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

    /// <summary>One or more reads in one snapshot when the work is one statement.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public async ValueTask<T> ReadAsync<T>(Func<DbConnection, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            return await work(connection);
        }
        catch (DbException exception)
        {
            throw new TokenStoreException("The control database cannot be read.", exception);
        }
    }

    /// <summary>One transaction, one writer at a time. It is committed when the work returns.</summary>
    /// <exception cref="TokenStoreException">It cannot be written, or the commit's fate is not known.</exception>
    public async Task<T> WriteAsync<T>(Func<DbTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!await _writer.WaitAsync(WriteWait, cancellationToken))
            throw new TokenStoreException("The control database is busy.");

        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            await using var transaction =
                await connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
            var result = await work(transaction);
            await transaction.CommitAsync(CancellationToken.None);
            return result;
        }
        catch (DbException exception)
        {
            throw new TokenStoreException("The control database cannot be written.", exception);
        }
        finally
        {
            _writer.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await using (var connection = new SqliteConnection(_connectionString)) SqliteConnection.ClearPool(connection);
        _writer.Dispose();
        await _lock.DisposeAsync();
    }

    private static void MakePrivateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(folder, OwnerOnlyFolder);
        if (File.GetUnixFileMode(folder) != OwnerOnlyFolder) File.SetUnixFileMode(folder, OwnerOnlyFolder);
    }

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
                + "or PostgreSQL to share.", exception);
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

    private async ValueTask<SqliteConnection> ConnectAsync(CancellationToken cancellationToken)
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
}
