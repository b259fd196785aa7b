using System.Data.Common;
using Dapper;
using Gateway.Core.Tokens;
using Npgsql;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// PostgreSQL, shared by any number of gateways. Transactions are serializable and run again when another one came
/// between. Nothing waits for long: a server that is frozen, or a gateway that stopped in the middle of a change, costs
/// the others seconds, not minutes.
/// </summary>
internal sealed class PostgresDatabase : ControlDatabase
{
    // Locks give up first, then the statement in the server, then we on the server.
    private const string SessionOptions =
        """
        -c lock_timeout=2000 -c idle_in_transaction_session_timeout=2000 -c statement_timeout=2500
        -c synchronous_commit=on
        """;

    private const int AnswerSeconds = 3;

    // Of these a few are capture's own: a group's fence is one read, and must not wait for slow ones of the API.
    private const int MaxConnections = 20;
    private const int MaxForCapture = 4;

    private const int PreparedStatements = 64;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _forCapture;

    private PostgresDatabase(NpgsqlDataSource source, NpgsqlDataSource forCapture, TimeProvider time)
        : base(time) => (_source, _forCapture) = (source, forCapture);

    /// <exception cref="ControlPlaneException">It does not answer, or cannot be migrated.</exception>
    public static async Task<PostgresDatabase> OpenAsync(
        PostgresOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        NpgsqlDataSource? source = null;
        try
        {
            await PostgresMigrations.ApplyAsync(options, time, cancellationToken);
            source = Source(options, forCapture: false);
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return new PostgresDatabase(source, Source(options, forCapture: true), time);
        }
        catch (Exception exception) when (exception is DbException or TimeoutException)
        {
            if (source is not null) await source.DisposeAsync();
            throw new ControlPlaneException(
                $"The control database, PostgreSQL at {options}, cannot be used: {exception.Message}", exception);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _source.DisposeAsync();
        await _forCapture.DisposeAsync();
    }

    internal static async Task RequirePrimaryAsync(NpgsqlConnection connection)
    {
        if (await connection.ExecuteScalarAsync<bool>("SELECT pg_is_in_recovery()"))
            throw new NpgsqlException("The server is a standby: it may be behind. Name the primary.");
    }

    protected override async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken) =>
        await _source.OpenConnectionAsync(cancellationToken);

    protected override async ValueTask<DbConnection> ConnectForCaptureAsync(CancellationToken cancellationToken) =>
        await _forCapture.OpenConnectionAsync(cancellationToken);

    /// <summary>
    /// Two rows of one key, or a row whose parent has just gone: the next attempt sees what the other one did, and
    /// refuses with the right words.
    /// </summary>
    protected override bool IsConflict(DbException exception) => exception.SqlState
        is PostgresErrorCodes.SerializationFailure
        or PostgresErrorCodes.DeadlockDetected
        or PostgresErrorCodes.LockNotAvailable
        or PostgresErrorCodes.UniqueViolation
        or PostgresErrorCodes.ForeignKeyViolation;

    protected override bool IsLostConnection(DbException exception) =>
        exception.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
        || exception is { SqlState: null, InnerException: IOException };

    /// <summary>
    /// The commit goes with the raise, in one message: a gateway that is stopped in between has either not locked the
    /// epoch yet, or let it go again.
    /// </summary>
    protected override async Task<EpochStamp> RaiseAndCommitAsync(
        DbTransaction transaction, IReadOnlyList<Touched> touched)
    {
        var (sql, parameters) = ChangeLog.Raise(touched);
        await using var reader = await transaction.Connection!.ExecuteReaderAsync(
            sql + "\nCOMMIT", parameters, transaction);
        await reader.ReadAsync();
        var stamp = new EpochStamp(reader.GetInt64(0), reader.GetInt64(1));

        // Whether it was committed is said at the end only.
        while (await reader.NextResultAsync())
        {
        }

        return stamp;
    }

    private static NpgsqlDataSource Source(PostgresOptions options, bool forCapture)
    {
        var settings = options.With(SessionOptions.ReplaceLineEndings(" "));
        settings.Timeout = AnswerSeconds;
        settings.CommandTimeout = AnswerSeconds;

        // Who does not answer a question does not answer a request to cancel it either: the connection is cut.
        settings.CancellationTimeout = -1;
        int all = Math.Clamp(settings.MaxPoolSize, 2, MaxConnections);
        int captures = Math.Min(MaxForCapture, all / 2);
        settings.MaxPoolSize = forCapture ? captures : all - captures;
        settings.MinPoolSize = Math.Min(settings.MinPoolSize, settings.MaxPoolSize);
        settings.MaxAutoPrepare = PreparedStatements;

        // Sessions are left as they were found: nothing is set in them, and what they lock ends with the transaction.
        settings.NoResetOnClose = true;

        return new NpgsqlDataSourceBuilder(settings.ConnectionString)
            .UsePhysicalConnectionInitializer(
                connection => RequirePrimaryAsync(connection).GetAwaiter().GetResult(), RequirePrimaryAsync)
            .Build();
    }
}
