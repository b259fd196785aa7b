using Gateway.Core.Tenancy.Database;

namespace Gateway.Core.Tenancy;

/// <summary>How many projects an organization may have.</summary>
public static class Plans
{
    public const string Free = "free";
    public const string Unlimited = "unlimited";

    /// <summary>Of any plan: a list of them is never cut below it.</summary>
    public const int MostProjects = 1500;

    /// <summary>Null when one more fits.</summary>
    internal static async Task<Refusal?> RoomForOneMoreAsync(ControlWrite change, long organizationId)
    {
        var row = await change.RowAsync<Row>(
            """
            SELECT o.plan AS Plan,
                   (SELECT COUNT(*) FROM projects p WHERE p.organization_id = o.id AND p.deleted_at IS NULL) AS Projects
            FROM organizations o WHERE o.id = @Id
            """,
            new { Id = organizationId });
        int most = row!.Plan == Free ? 1 : MostProjects;
        return row.Projects < most
            ? null
            : Refusal.Forbidden(
                $"The organization's plan ({row.Plan}) allows {most} project{(most == 1 ? "" : "s")}, and it has "
                + $"{row.Projects}.",
                "project_limit_reached");
    }

    private sealed class Row
    {
        public string Plan { get; init; } = "";

        public long Projects { get; init; }
    }
}
