using System.Data.Common;
using System.Globalization;
using System.Reflection;
using Dapper;

namespace Gateway.Core.Tenancy.Database;

/// <summary>What differs between the databases that run our scripts.</summary>
internal sealed record Dialect(string Identity)
{
    // Without AUTOINCREMENT SQLite gives the highest id a second time after its row is deleted.
    public static readonly Dialect Sqlite = new("INTEGER PRIMARY KEY AUTOINCREMENT");
}

/// <summary>The numbered scripts beside this file: each runs once, in order, in a transaction of its own.</summary>
internal static class Migrations
{
    private const string Prefix = "migrations/";

    private const string CreateTable =
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version     INTEGER PRIMARY KEY,
            name        TEXT   NOT NULL,
            applied_at  BIGINT NOT NULL
        )
        """;

    /// <exception cref="ControlPlaneException">The database was made by a later version of the gateway.</exception>
    public static async Task ApplyAsync(
        DbConnection connection, Dialect dialect, TimeProvider time, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(CreateTable);
        var scripts = Scripts();
        long applied = await connection.ExecuteScalarAsync<long>(
            "SELECT COALESCE(MAX(version), 0) FROM schema_migrations");
        if (applied > scripts[^1].Version)
        {
            throw new ControlPlaneException(
                $"The control database has schema {applied}, this gateway knows {scripts[^1].Version}: "
                + "it was opened by a later version, which must be used from then on.");
        }

        foreach (var script in scripts.Where(script => script.Version > applied))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync(script.Text.Replace("{identity}", dialect.Identity, StringComparison.Ordinal),
                transaction: transaction);
            await connection.ExecuteAsync(
                "INSERT INTO schema_migrations (version, name, applied_at) VALUES (@Version, @Name, @Now)",
                new { script.Version, script.Name, Now = time.GetUtcNow().ToUnixMicroseconds() },
                transaction);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private static List<Script> Scripts()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => Read(assembly, name))
            .OrderBy(script => script.Version)];
    }

    private static Script Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        int version = int.Parse(name.AsSpan(Prefix.Length, 4), NumberStyles.None, CultureInfo.InvariantCulture);
        return new Script(version, name[Prefix.Length..], reader.ReadToEnd());
    }

    private sealed record Script(int Version, string Name, string Text);
}
