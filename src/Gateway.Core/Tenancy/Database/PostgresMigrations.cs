using Dapper;
using Npgsql;

namespace Gateway.Core.Tenancy.Database;

/// <summary>The scripts on PostgreSQL: gateways that start at once take turns, and later ones find them done.</summary>
internal static class PostgresMigrations
{
    private const long LockKey = 0x67617465776179; // "gateway" in ASCII

    private const int PatienceSeconds = 60;

    private static readonly string SessionOptions =
        $"-c lock_timeout={PatienceSeconds}s -c statement_timeout={PatienceSeconds}s -c synchronous_commit=on";

    public static async Task ApplyAsync(
        PostgresOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        // A connection of its own, with its own patience; the lock is the session's and ends with it.
        var settings = options.With(SessionOptions);
        settings.Pooling = false;
        settings.Timeout = 10;
        settings.CommandTimeout = PatienceSeconds + 1;
        await using var source = NpgsqlDataSource.Create(settings);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await PostgresDatabase.RequirePrimaryAsync(connection);
        await connection.ExecuteAsync("SELECT pg_advisory_lock(@LockKey)", new { LockKey });
        await Migrations.ApplyAsync(connection, Dialect.Postgres, time, cancellationToken);
    }
}
