using Npgsql;

namespace Gateway.Tests.Promises;

/// <summary>A copy of a database as it was at one moment, made and put back under those who use it.</summary>
internal sealed class PostgresBackup
{
    private readonly string _database;
    private readonly string _copy;
    private readonly string _server;

    private PostgresBackup(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        (_database, _copy) = (parts.Database!, $"{parts.Database}_{Guid.NewGuid():N}");
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Database = _copy }.ConnectionString;
        parts.Database = "postgres";
        _server = parts.ConnectionString;
    }

    /// <summary>The copy's own.</summary>
    public string ConnectionString { get; }

    public static PostgresBackup Of(string connectionString)
    {
        var backup = new PostgresBackup(connectionString);
        backup.WithNobodyIn($"CREATE DATABASE {backup._copy} TEMPLATE {backup._database}");
        backup.Execute($"ALTER DATABASE {backup._database} ALLOW_CONNECTIONS true");
        return backup;
    }

    /// <summary>Once: the copy takes the place of what is there now.</summary>
    public void Restore()
    {
        WithNobodyIn($"ALTER DATABASE {_database} RENAME TO {_copy}_lost");
        Execute($"ALTER DATABASE {_copy} RENAME TO {_database}");
    }

    /// <summary>All that have a session there lose it, and get none until it is allowed again.</summary>
    private void WithNobodyIn(string statement)
    {
        Execute($"ALTER DATABASE {_database} ALLOW_CONNECTIONS false");
        Execute($"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{_database}'");
        Execute(statement);
    }

    private void Execute(string statement)
    {
        using var connection = new NpgsqlConnection(_server);
        connection.Open();
        using var command = new NpgsqlCommand(statement, connection);
        command.ExecuteNonQuery();
    }
}
