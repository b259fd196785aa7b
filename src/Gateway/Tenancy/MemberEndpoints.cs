using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Members of an organization: list, change a level, remove or leave.</summary>
internal static class MemberEndpoints
{
    public static void MapMembers(this IEndpointRouteBuilder api)
    {
        const string Members = "/organizations/{organization}/members/";
        api.MapGet(Members, ListAsync)
            .WithSummary("The members of an organization.").Produces<Page<MemberAnswer>>();
        api.MapPatch(Members + "{user}/", ChangeAsync)
            .Takes<LevelBody>()
            .WithSummary("Changes a member's level: 1 member, 8 admin, 15 owner. For admins.").Produces<MemberAnswer>();
        api.MapDelete(Members + "{user}/", RemoveAsync)
            .WithSummary("Removes a member, or lets the caller leave.").Produces(StatusCodes.Status204NoContent);
    }

    /// <summary>The levels that can be given; the field names itself in the refusal.</summary>
    public static MemberLevel? Level(JsonBody body, bool required)
    {
        long? level = body.Whole("level", 1, 15, required);
        if (level is null or 1 or 8 or 15) return (MemberLevel?)level;

        body.Reject("level", "must be 1 (member), 8 (admin) or 15 (owner).");
        return null;
    }

    private static async Task<IResult> ListAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var list = await plane.Members.ListAsync(Callers.Of(context), organization, context.RequestAborted);
        return list.Refusal is { } refusal
            ? refusal.ToError()
            : Paging.Answer(context, list.Value, MemberAnswer.Of, TenancyJson.Default.PageMemberAnswer);
    }

    private static async Task<IResult> ChangeAsync(
        string organization, string user, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        var level = Level(body, required: true);
        if (body.Refusal is { } wrong) return wrong.ToError();

        var changed = await plane.Members.ChangeLevelAsync(
            Callers.Of(context), organization, user, level!.Value, context.RequestAborted);
        return changed.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(MemberAnswer.Of(changed.Value), TenancyJson.Default.MemberAnswer);
    }

    private static async Task<IResult> RemoveAsync(
        string organization, string user, ControlPlane plane, HttpContext context)
    {
        var gone = await plane.Members.RemoveAsync(
            Callers.Of(context), organization, user, context.RequestAborted);
        return gone.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }
}

/// <summary>A member in PostHog's shape.</summary>
internal sealed record MemberAnswer(
    UserAnswer User, long Level, DateTimeOffset JoinedAt, DateTimeOffset? UpdatedAt, DateTimeOffset? LastLogin)
{
    public static MemberAnswer Of(Member member) => new(
        new UserAnswer(member.UserUuid, member.UserUuid, member.Email, member.FirstName, member.LastName),
        member.Level,
        Times.Of(member.JoinedAt),
        Times.Of(member.UpdatedAt),
        Times.Of(member.LastLoginAt));
}

/// <summary>A user as others see them.</summary>
internal sealed record UserAnswer(string Id, string Uuid, string Email, string FirstName, string LastName);

/// <summary>Microseconds since 1970 UTC as the API shows them.</summary>
internal static class Times
{
    public static DateTimeOffset Of(long microseconds) => DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds);

    public static DateTimeOffset? Of(long? microseconds) => microseconds is { } time ? Of(time) : null;
}
