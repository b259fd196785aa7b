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
        if (list.Refusal is { } refusal) return refusal.ToError();

        var answers = new List<DeletedProjectAnswer>(list.Value.Count);
        foreach (var project in list.Value)
        {
            var progress = await plane.Erasure.ProgressAsync((ulong)project.Id, context.RequestAborted);
            if (progress is not null) answers.Add(DeletedProjectAnswer.Of(project, progress));
        }

        return Paging.Answer(context, answers, answer => answer, TenancyJson.Default.PageDeletedProjectAnswer);
    }
}

/// <param name="Id">Never used again.</param>
/// <param name="Name">What it was called.</param>
/// <param name="DeletedAt">From then on it was refused and unreadable.</param>
/// <param name="State">waiting (for gateways that may still hold events of it), erasing, or erased.</param>
/// <param name="ErasedRows">Stored rows deleted, and rows dropped on the way, so far.</param>
/// <param name="ErasedAt">When no row was left.</param>
/// <param name="WaitsFor">The gateways waited for.</param>
internal sealed record DeletedProjectAnswer(
    long Id, string Name, DateTimeOffset DeletedAt, string State, long ErasedRows, DateTimeOffset? ErasedAt,
    IReadOnlyList<string> WaitsFor)
{
    public static DeletedProjectAnswer Of(TombstoneRow project, ErasureProgress progress) => new(
        project.Id, project.Name, progress.DeletedAt, progress.State, progress.ErasedRows, progress.ErasedAt,
        progress.WaitsFor);
}
