using System.Text.Json.Serialization;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Projects: list, create, read, change, delete, regenerate the token, move to another organization.</summary>
internal static class ProjectEndpoints
{
    private const int MaxIdempotencyKey = 255;

    public static void MapProjects(this IEndpointRouteBuilder api)
    {
        api.MapGet("/projects/", ListAsync)
            .WithSummary("The projects that the caller may enter.").Produces<Page<ProjectAnswer>>();
        api.MapGet("/organizations/{organization}/projects/", ListOfAsync)
            .WithSummary("Those of one organization that the caller may enter.").Produces<Page<ProjectAnswer>>();
        api.MapPost("/organizations/{organization}/projects/", CreateAsync)
            .Takes<NewProjectBody>()
            .WithSummary("A new project; api_token: one that apps in the field have already. For admins.")
            .Produces<ProjectAnswer>(StatusCodes.Status201Created);
        api.MapGet("/projects/{id}/", ReadAsync)
            .WithSummary("One project, by its id or @current.").Produces<ProjectAnswer>();
        api.MapPatch("/projects/{id}/", UpdateAsync)
            .Takes<ProjectBody>()
            .WithSummary("Changes its name or settings; capture goes by them from the answer on. For its admins.")
            .Produces<ProjectAnswer>();
        api.MapDelete("/projects/{id}/", DeleteAsync)
            .WithSummary("Deletes it: refused and unreadable from the answer on, then erased. For organization admins.")
            .Produces(StatusCodes.Status204NoContent);
        api.MapMethods("/projects/{id}/reset_token/", ["PATCH", "POST"], ResetTokenAsync)
            .WithSummary("A new token; the old one is refused from the answer on. For its admins.")
            .Produces<ProjectAnswer>();
        api.MapPost("/projects/{id}/change_organization/", MoveAsync)
            .Takes<MoveBody>()
            .WithSummary("Moves it to another organization; dry_run=true tells who would lose access.")
            .Produces<ProjectAnswer>();
    }

    private static async Task<IResult> ListAsync(ControlPlane plane, HttpContext context) =>
        Answer(context, await plane.Projects.ListAsync(Callers.Of(context), context.RequestAborted));

    private static async Task<IResult> ListOfAsync(string organization, ControlPlane plane, HttpContext context) =>
        Answer(context, await plane.Projects.ListOfAsync(Callers.Of(context), organization, context.RequestAborted));

    private static async Task<IResult> CreateAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? name = body.Text("name", OrganizationEndpoints.MaxName, required: true);
        string? token = body.Text("api_token", maxLength: 64);
        var settings = Settings(body);
        if (body.Refusal is { } wrong) return wrong.ToError();

        var made = await plane.Projects.CreateAsync(
            Callers.Of(context), organization, new NewProject(name!, token, settings), context.RequestAborted);
        return Answer(made, StatusCodes.Status201Created);
    }

    private static async Task<IResult> ReadAsync(string id, ControlPlane plane, HttpContext context) =>
        Answer(await plane.Projects.EnterAsync(Callers.Of(context), id, Scopes.ProjectRead, context.RequestAborted));

    private static async Task<IResult> UpdateAsync(string id, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? name = body.Text("name", OrganizationEndpoints.MaxName);
        var settings = Settings(body);
        if (body.Refusal is { } wrong) return wrong.ToError();

        return Answer(await plane.Projects.UpdateAsync(
            Callers.Of(context), id, name, settings, context.RequestAborted));
    }

    private static async Task<IResult> DeleteAsync(string id, ControlPlane plane, HttpContext context)
    {
        var gone = await plane.Projects.DeleteAsync(Callers.Of(context), id, context.RequestAborted);
        return gone.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }

    private static async Task<IResult> ResetTokenAsync(string id, ControlPlane plane, HttpContext context)
    {
        string? key = context.Request.Headers["Idempotency-Key"].FirstOrDefault();
        if (key?.Length is 0 or > MaxIdempotencyKey)
        {
            return ApiError.Validation(
                $"Idempotency-Key must have 1 to {MaxIdempotencyKey} characters.", "Idempotency-Key");
        }

        var reset = await plane.Projects.ResetTokenAsync(Callers.Of(context), id, key, context.RequestAborted);
        return reset.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                ProjectAnswer.Of(reset.Value.Project) with
                {
                    ApiToken = reset.Value.Token,
                    RevokedAt = reset.Value.RevokedAt,
                    Epoch = reset.Value.Epoch,
                },
                TenancyJson.Default.ProjectAnswer);
    }

    private static async Task<IResult> MoveAsync(string id, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        var target = body.Uuid("organization_id", required: true);
        if (body.Refusal is { } wrong) return wrong.ToError();

        bool isDryRun = context.Request.Query["dry_run"].LastOrDefault() is { } dry
            && !dry.Equals("false", StringComparison.OrdinalIgnoreCase);
        var move = await plane.Moves.MoveAsync(
            Callers.Of(context), id, target!.Value.ToString(), isDryRun, context.RequestAborted);
        return move.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                ProjectAnswer.Of(move.Value.Project) with
                {
                    DryRun = isDryRun,
                    LoseAccess = move.Value.LoseAccess,
                    GainAccess = move.Value.GainAccess,
                },
                TenancyJson.Default.ProjectAnswer);
    }

    private static ProjectSettings Settings(JsonBody body)
    {
        string? access = body.Text("default_access", maxLength: 10);
        if (access is not (null or "none" or "member")) body.Reject("default_access", "must be none or member.");

        return new ProjectSettings
        {
            TimeZone = body.Text("timezone", maxLength: 64),
            AnonymizeIps = body.Flag("anonymize_ips"),
            AllowedOrigins = body.Texts(
                "allowed_origins", ProjectSettings.MaxOrigins, ProjectSettings.MaxOriginLength),
            DefaultLevel = access switch
            {
                "none" => ProjectLevel.None,
                "member" => ProjectLevel.Member,
                _ => null,
            },
            EventsPerSecond = body.Whole("events_per_second", most: ProjectQuota.Most),
            BytesPerSecond = body.Whole("bytes_per_second", most: ProjectQuota.Most),
        };
    }

    private static IResult Answer(HttpContext context, Outcome<List<ProjectAccess>> list) =>
        list.Refusal is { } refusal
            ? refusal.ToError()
            : Paging.Answer(context, list.Value, ProjectAnswer.Of, TenancyJson.Default.PageProjectAnswer);

    private static IResult Answer(Outcome<ProjectAccess> project, int status = StatusCodes.Status200OK) =>
        project.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                ProjectAnswer.Of(project.Value), TenancyJson.Default.ProjectAnswer, statusCode: status);
}

/// <summary>
/// A project in PostHog's shape. What may be missing is ours: two fields of a regenerated token's answer, and three of
/// a move's.
/// </summary>
internal sealed record ProjectAnswer(
    ulong Id, Guid Uuid, Guid Organization, string Name, string? ApiToken, string Timezone, bool AnonymizeIps,
    IReadOnlyList<string> AllowedOrigins, string DefaultAccess, long EventsPerSecond, long BytesPerSecond,
    string AccessLevel, DateTimeOffset CreatedAt)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? RevokedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Epoch { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? DryRun { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? LoseAccess { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? GainAccess { get; init; }

    public static ProjectAnswer Of(ProjectAccess project) => new(
        project.ProjectId, project.Uuid, project.OrganizationId, project.Name, project.ApiToken, project.TimeZone,
        project.AnonymizeIps, project.AllowedOrigins, Word(project.DefaultLevel),
        project.Quota.EventsPerSecond, project.Quota.BytesPerSecond, Word(project.Level), project.CreatedAt);

    public static string Word(ProjectLevel level) => level switch
    {
        ProjectLevel.None => "none",
        ProjectLevel.Member => "member",
        _ => "admin",
    };

    /// <summary>Without the token.</summary>
    public override string ToString() => $"project {Id}";
}
