using System.Data.Common;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Whose token was it? Rows of tokens stay for ever, so that a project can be told that an old one is still in use.
/// </summary>
public sealed class RevokedTokens
{
    private readonly ControlDatabase _database;

    internal RevokedTokens(ControlDatabase database) => _database = database;

    /// <summary>
    /// Those of the texts that are revoked tokens, with their projects; not of deleted ones. One statement.
    /// </summary>
    /// <returns>Null: the database cannot be read now.</returns>
    public async ValueTask<IReadOnlyDictionary<string, ulong>?> FindAsync(
        IReadOnlyCollection<string> tokens, CancellationToken cancellationToken)
    {
        if (tokens.Count == 0) return new Dictionary<string, ulong>();

        try
        {
            return await _database.ReadAsync(connection => FindAsync(connection, tokens), cancellationToken);
        }
        catch (TokenStoreException)
        {
            return null;
        }
    }

    private static async ValueTask<IReadOnlyDictionary<string, ulong>> FindAsync(
        DbConnection connection, IReadOnlyCollection<string> tokens)
    {
        // Not by way of Dapper: it writes lists in one way for SQLite and in another for PostgreSQL.
        await using var command = connection.CreateCommand();
        foreach (string token in tokens)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ($"@T{command.Parameters.Count}", token);
            command.Parameters.Add(parameter);
        }

        string list = string.Join(", ", Enumerable.Range(0, tokens.Count).Select(i => $"@T{i}"));
        command.CommandText =
            $"""
            SELECT t.token, t.project_id
            FROM project_tokens t JOIN projects p ON p.id = t.project_id
            WHERE t.token IN ({list}) AND t.revoked_at IS NOT NULL AND p.deleted_at IS NULL
            """;
        await using var reader = await command.ExecuteReaderAsync();
        var found = new Dictionary<string, ulong>();
        while (await reader.ReadAsync()) found[reader.GetString(0)] = (ulong)reader.GetInt64(1);
        return found;
    }
}
