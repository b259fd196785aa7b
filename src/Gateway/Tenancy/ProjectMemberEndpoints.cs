using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Who may enter one project: list, say of a member, take it back.</summary>
internal static class ProjectMemberEndpoints
{
    public static void MapProjectMembers(this IEndpointRouteBuilder api)
    {
        const string Members = "/projects/{id}/members/";
        api.MapGet(Members, ListAsync)
            .WithSummary("All members of the project's organization and what each may do in it.")
            .Produces<Page<ProjectMemberAnswer>>();
        api.MapPatch(Members + "{user}/", ChangeAsync)
            .Takes<ProjectLevelBody>()
            .WithSummary("Says what a member may do here: level none, member or admin. For its admins.")
            .Produces<ProjectMemberAnswer>();
        api.MapDelete(Members + "{user}/", ResetAsync)
            .WithSummary("Takes that back: the project's default holds for them again. For its admins.")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(string id, ControlPlane plane, HttpContext context)
    {
        var list = await plane.ProjectMembers.ListAsync(Callers.Of(context), id, context.RequestAborted);
        return list.Refusal is { } refusal
            ? refusal.ToError()
            : Paging.Answer(
                context, list.Value, ProjectMemberAnswer.Of, TenancyJson.Default.PageProjectMemberAnswer);
    }

    private static async Task<IResult> ChangeAsync(string id, string user, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? word = body.Text("level", maxLength: 10, required: true);
        ProjectLevel? level = word switch
        {
            "none" => ProjectLevel.None,
            "member" => ProjectLevel.Member,
            "admin" => ProjectLevel.Admin,
            _ => null,
        };
        if (level is null) body.Reject("level", "must be none, member or admin.");
        if (body.Refusal is { } wrong) return wrong.ToError();

        var changed = await plane.ProjectMembers.ChangeAsync(
            Callers.Of(context), id, user, level, context.RequestAborted);
        return changed.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                ProjectMemberAnswer.Of(changed.Value), TenancyJson.Default.ProjectMemberAnswer);
    }

    private static async Task<IResult> ResetAsync(string id, string user, ControlPlane plane, HttpContext context)
    {
        var changed = await plane.ProjectMembers.ChangeAsync(
            Callers.Of(context), id, user, level: null, context.RequestAborted);
        return changed.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }
}

/// <summary>A member of the organization and what they may do in one project.</summary>
/// <param name="User">The user's uuid.</param>
/// <param name="Email">Their address.</param>
/// <param name="OrganizationLevel">1 member, 8 admin, 15 owner.</param>
/// <param name="OwnLevel">What the project says of them; null: nothing.</param>
/// <param name="Level">What follows: none, member or admin.</param>
internal sealed record ProjectMemberAnswer(
    string User, string Email, long OrganizationLevel, string? OwnLevel, string Level)
{
    public static ProjectMemberAnswer Of(ProjectMember member) => new(
        member.UserUuid,
        member.Email,
        member.OrganizationLevel,
        member.OwnLevel is { } own ? ProjectAnswer.Word((ProjectLevel)own) : null,
        ProjectAnswer.Word((ProjectLevel)member.Level));
}
