using System.Data.Common;
using Dapper;

namespace Gateway.Core.Tenancy;

/// <summary>Projects and their tokens, inside the transaction of whoever changes them.</summary>
internal static class ProjectQueries
{
    public static Task<long> InsertAsync(DbTransaction transaction, long organizationId, string name, long now) =>
        transaction.Connection!.ExecuteScalarAsync<long>(
            """
            INSERT INTO projects (uuid, organization_id, name, created_at)
            VALUES (@Uuid, @OrganizationId, @Name, @Now) RETURNING id
            """,
            new { Uuid = Guid.NewGuid().ToString(), OrganizationId = organizationId, Name = name, Now = now },
            transaction);

    /// <summary>The text must never have been a token before, of whatever project: the database sees to it.</summary>
    public static Task<long> InsertTokenAsync(
        DbTransaction transaction, long projectId, string token, bool isImported, long now) =>
        transaction.Connection!.ExecuteScalarAsync<long>(
            """
            INSERT INTO project_tokens (project_id, token, imported, created_at)
            VALUES (@ProjectId, @Token, @Imported, @Now) RETURNING id
            """,
            new { ProjectId = projectId, Token = token, Imported = isImported ? 1 : 0, Now = now },
            transaction);

    /// <summary>Ends the live token of a project; its id, or null when there was none.</summary>
    public static Task<long?> RevokeTokenAsync(DbTransaction transaction, long projectId, long now) =>
        transaction.Connection!.ExecuteScalarAsync<long?>(
            """
            UPDATE project_tokens SET revoked_at = @Now
            WHERE project_id = @ProjectId AND revoked_at IS NULL RETURNING id
            """,
            new { ProjectId = projectId, Now = now },
            transaction);
}
