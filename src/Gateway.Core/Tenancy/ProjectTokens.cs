using Gateway.Core.Tenancy.Database;

namespace Gateway.Core.Tenancy;

/// <summary>Tokens of projects, inside the change that gives or takes them. A row stays for ever.</summary>
internal static class ProjectTokens
{
    /// <summary>The text must never have been a token before, of whatever project: the database sees to it.</summary>
    public static async Task<long> InsertAsync(ControlWrite change, long projectId, string token, bool isImported)
    {
        long id = await change.ScalarAsync<long>(
            """
            INSERT INTO project_tokens (project_id, token, imported, created_at)
            VALUES (@ProjectId, @Token, @Imported, @Now) RETURNING id
            """,
            new { ProjectId = projectId, Token = token, Imported = isImported ? 1 : 0, change.Now });
        change.Touch("token", id, id);
        return id;
    }

    /// <summary>Ends the live token of a project.</summary>
    public static async Task RevokeAsync(ControlWrite change, long projectId)
    {
        long? id = await change.ScalarAsync<long?>(
            """
            UPDATE project_tokens SET revoked_at = @Now
            WHERE project_id = @ProjectId AND revoked_at IS NULL RETURNING id
            """,
            new { ProjectId = projectId, change.Now });
        if (id is not null) change.Touch("token", id.Value, id);
    }

    /// <summary>Tells every gateway to look the project's token up anew, and with it the project's settings.</summary>
    public static async Task TouchAsync(ControlWrite change, long projectId)
    {
        long? id = await change.ScalarAsync<long?>(
            "SELECT id FROM project_tokens WHERE project_id = @ProjectId AND revoked_at IS NULL",
            new { ProjectId = projectId });
        change.Touch("project", projectId, id);
    }
}
