using Gateway.Core.Tenancy;

namespace Gateway.Tenancy;

/// <summary>Deleted projects of an organization, and how far their events are erased.</summary>
internal static class DeletedProjectEndpoints
{
    public static void MapDeletedProjects(this IEndpointRouteBuilder api) =>
        api.MapGet("/organizations/{organization}/deleted_projects/", ListAsync)
            .WithSummary("Deleted projects: how far their events are erased, and what that waits for. For admins.")
            .Produces<Page<DeletedProjectAnswer>>();

    private static async Task<IResult> ListAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var list = await plane.Projects.ListDeletedAsync(Callers.Of(context), organization, context.RequestAborted);
        return list.Refusal is { } refusal
            ? refusal.ToError()
            : await Paging.AnswerAsync(
                context,
                list.Value,
                async project =>
                    await plane.Erasure.ProgressAsync((ulong)project.Id, context.RequestAborted) is { } progress
                        ? DeletedProjectAnswer.Of(project, progress)
                        : null,
                TenancyJson.Default.PageDeletedProjectAnswer);
    }
}

/// <param name="Id">Never used again.</param>
/// <param name="Name">What it was called.</param>
/// <param name="DeletedAt">From then on it was refused and unreadable.</param>
/// <param name="State">waiting (for gateways that may still hold events of it), erasing, or erased.</param>
/// <param name="ErasedRows">Stored rows deleted, and rows dropped on the way, so far.</param>
/// <param name="ErasedAt">When no row was left.</param>
/// <param name="WaitsForGateways">How many are waited for; which machines they are is nothing for tenants.</param>
internal sealed record DeletedProjectAnswer(
    long Id, string Name, DateTimeOffset DeletedAt, string State, long ErasedRows, DateTimeOffset? ErasedAt,
    int WaitsForGateways)
{
    public static DeletedProjectAnswer Of(TombstoneRow project, ErasureProgress progress) => new(
        project.Id, project.Name, progress.DeletedAt, progress.State, progress.ErasedRows, progress.ErasedAt,
        progress.WaitsFor.Count);
}
