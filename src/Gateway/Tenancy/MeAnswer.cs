using System.Text.Json.Serialization;
using Gateway.Core.Tenancy;

namespace Gateway.Tenancy;

/// <summary>A user in PostHog's shape; <c>team</c> is its other word for the current project.</summary>
internal sealed record MeAnswer(
    Guid Id, Guid Uuid, Guid DistinctId, string Email, string FirstName, string LastName, bool HasPassword,
    DateTimeOffset DateJoined, DateTimeOffset? LastLogin, MyOrganizationAnswer? Organization,
    MyProjectAnswer? Project, MyProjectAnswer? Team, IReadOnlyList<MyOrganizationAnswer> Organizations)
{
    public static IResult Answer(Outcome<UserProfile> user, int status = StatusCodes.Status200OK) =>
        user.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(Of(user.Value), MeJson.Default.MeAnswer, statusCode: status);

    private static MeAnswer Of(UserProfile user)
    {
        var project = user.Project is { } current ? MyProjectAnswer.Of(current) : null;
        return new MeAnswer(
            user.Actor.UserUuid, user.Actor.UserUuid, user.Actor.UserUuid, user.Actor.Email, user.FirstName,
            user.LastName, user.HasPassword, user.CreatedAt, user.LastLoginAt,
            user.Organization is { } organization ? MyOrganizationAnswer.Of(organization) : null, project, project,
            [.. user.Organizations.Select(MyOrganizationAnswer.Of)]);
    }
}

internal sealed record MyOrganizationAnswer(
    Guid Id, string Name, int MembershipLevel, IReadOnlyList<MyProjectAnswer> Projects)
{
    public static MyOrganizationAnswer Of(UserOrganization organization) => new(
        organization.Id,
        organization.Name,
        (int)organization.Level,
        [.. organization.Projects.Select(MyProjectAnswer.Of)]);
}

internal sealed record MyProjectAnswer(ulong Id, Guid Uuid, Guid Organization, string Name, string Timezone)
{
    public static MyProjectAnswer Of(UserProject project) =>
        new(project.Id, project.Uuid, project.Organization, project.Name, project.TimeZone);
}

/// <summary>What an invite's link leads to; who has an account is told so when signed in with it.</summary>
internal sealed record InviteLinkAnswer(
    string OrganizationName, string Email, int Level, DateTimeOffset ExpiresAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? HasAccount)
{
    public static InviteLinkAnswer Of(InviteView invite, bool isTheirs) => new(
        invite.OrganizationName, invite.Email, (int)invite.Level, invite.ExpiresAt,
        isTheirs ? invite.HasAccount : null);
}

// Bodies as the OpenAPI document shows them; they are read by JsonBody.
internal sealed record SignInBody(string Email, string Password);

internal sealed record SignUpBody(
    string Email, string Password, string FirstName, string? LastName, string? OrganizationName);

internal sealed record AcceptBody(string? FirstName, string? LastName, string? Password);

internal sealed record UserBody(
    string? FirstName, string? LastName, Guid? CurrentOrganization, long? CurrentProject, string? Password,
    string? CurrentPassword);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(InviteLinkAnswer))]
internal sealed partial class MeJson : JsonSerializerContext;
