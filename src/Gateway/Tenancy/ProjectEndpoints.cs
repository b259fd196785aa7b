using System.Text.Json.Serialization;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Tenancy;

/// <summary>Projects: list, read, regenerate the token. The old token is refused when the call returns.</summary>
internal static class ProjectEndpoints
{
    public static void MapProjects(this IEndpointRouteBuilder routes)
    {
        // A last slash more or less makes no difference to routing.
        var projects = routes.MapGroup("/api/projects").AddEndpointFilter(AnswerUnavailableAsync);
        projects.MapGet("/", ListAsync);
        projects.MapGet("/{id}/", ReadAsync);
        projects.MapMethods("/{id}/reset_token/", ["PATCH", "POST"], ResetTokenAsync);
    }

    private static async Task<IResult> ListAsync(ControlPlane plane, HttpContext context)
    {
        var list = await plane.Projects.ListAsync(Callers.Of(context), context.RequestAborted);
        if (list.Refusal is { } refusal) return refusal.ToError();

        ProjectAnswer[] results = [.. list.Value.Select(ProjectAnswer.Of)];
        return TypedResults.Json(
            new ProjectListAnswer(results.Length, null, null, results), ProjectJson.Default.ProjectListAnswer);
    }

    private static async Task<IResult> ReadAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await plane.Projects.EnterAsync(
            Callers.Of(context), id, Scopes.ProjectRead, context.RequestAborted);
        return project.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(ProjectAnswer.Of(project.Value), ProjectJson.Default.ProjectAnswer);
    }

    private static async Task<IResult> ResetTokenAsync(string id, ControlPlane plane, HttpContext context)
    {
        var reset = await plane.Projects.ResetTokenAsync(Callers.Of(context), id, context.RequestAborted);
        return reset.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                ProjectAnswer.Of(reset.Value.Project) with
                {
                    RevokedAt = reset.Value.RevokedAt,
                    Epoch = reset.Value.Epoch,
                },
                ProjectJson.Default.ProjectAnswer);
    }

    private static async ValueTask<object?> AnswerUnavailableAsync(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (TokenStoreException)
        {
            return ApiError.Unavailable("The accounts cannot be read or written just now. Nothing was done for sure.");
        }
    }
}

/// <summary>A project in PostHog's shape. The last two are ours; only a regenerated token's answer has them.</summary>
internal sealed record ProjectAnswer(
    ulong Id, Guid Uuid, Guid Organization, string Name, string? ApiToken, string Timezone, bool AnonymizeIps,
    DateTimeOffset CreatedAt)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? RevokedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Epoch { get; init; }

    public static ProjectAnswer Of(ProjectAccess project) => new(
        project.ProjectId, project.Uuid, project.OrganizationId, project.Name, project.ApiToken, project.TimeZone,
        project.AnonymizeIps, project.CreatedAt);
}

internal sealed record ProjectListAnswer(
    int Count, string? Next, string? Previous, IReadOnlyList<ProjectAnswer> Results);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProjectAnswer))]
[JsonSerializable(typeof(ProjectListAnswer))]
internal sealed partial class ProjectJson : JsonSerializerContext;
