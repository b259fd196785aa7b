using System.Net;
using Gateway.Tests.Running;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Promises;

/// <summary>The bootstrapped project and a second one that is deleted, with what the database says of its end.</summary>
internal sealed class TwoProjects(string data)
{
    public const string SecondToken = "phc_theothertokentheothertokentheothertokenth34";

    public ulong First => 1;

    public ulong Second => 2;

    public long DeletionEpoch => Sql("SELECT COALESCE(deletion_epoch, 0) FROM projects WHERE id = 2");

    /// <summary>What the gateway that lives last said of its journal.</summary>
    public long CleanEpoch => Sql("SELECT MIN(clean_epoch) FROM gateways");

    public bool IsErased => Sql("SELECT erased_at IS NOT NULL FROM projects WHERE id = 2") == 1;

    public long ErasedRows => Sql("SELECT erased_rows FROM projects WHERE id = 2");

    public async Task AddSecondAsync(GatewayProcess gateway)
    {
        Sql($"""
            INSERT INTO projects (uuid, organization_id, name, created_at) VALUES ('{Guid.NewGuid()}', 1, 'Theirs', 0);
            INSERT INTO project_tokens (project_id, token, imported, created_at) VALUES (2, '{SecondToken}', 1, 0);
            UPDATE epoch SET value = value + 1;
            INSERT INTO change_log (epoch, position, what, what_id, token_id)
            SELECT value, 0, 'token', t.id, t.id FROM epoch, project_tokens t WHERE t.token = '{SecondToken}';
            """);
        await AnswersAsync(gateway, HttpStatusCode.OK);
    }

    public async Task DeleteSecondAsync(GatewayProcess gateway)
    {
        Sql($"""
            BEGIN IMMEDIATE;
            UPDATE projects SET deleted_at = {DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}000 WHERE id = 2;
            UPDATE project_tokens SET revoked_at = 1 WHERE project_id = 2;
            UPDATE epoch SET value = value + 1;
            INSERT INTO change_log (epoch, position, what, what_id, token_id)
            SELECT value, 0, 'project', 2, t.id FROM epoch, project_tokens t WHERE t.token = '{SecondToken}';
            UPDATE projects SET deletion_epoch = (SELECT value FROM epoch) WHERE id = 2;
            COMMIT;
            """);
        await AnswersAsync(gateway, HttpStatusCode.Unauthorized);
    }

    private static async Task AnswersAsync(GatewayProcess gateway, HttpStatusCode status) => await Eventually.HoldsAsync(
        async () =>
        {
            using var answer = await gateway.PostAsync("/batch/", new { api_key = SecondToken, batch = new[] { new { @event = "e", distinct_id = "d" } } });
            return answer.StatusCode == status;
        },
        TimeSpan.FromSeconds(20), () => $"the token is answered {status}");

    private long Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(data, "control.db")};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is long value ? value : 0;
    }
}
