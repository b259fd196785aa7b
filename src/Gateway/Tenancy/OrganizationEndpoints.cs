using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Organizations: list, create, read, rename, delete.</summary>
internal static class OrganizationEndpoints
{
    public const int MaxName = 200;

    public static void MapOrganizations(this IEndpointRouteBuilder api)
    {
        api.MapGet("/organizations/", ListAsync)
            .WithSummary("The organizations that the caller is a member of.").Produces<Page<OrganizationAnswer>>();
        api.MapPost("/organizations/", CreateAsync)
            .Takes<NameBody>()
            .WithSummary("A new organization, with the caller as its owner and a \"Default Project\".")
            .Produces<OrganizationAnswer>(StatusCodes.Status201Created);
        api.MapGet("/organizations/{organization}/", ReadAsync)
            .WithSummary("One organization, by its id or @current.").Produces<OrganizationAnswer>();
        api.MapPatch("/organizations/{organization}/", RenameAsync)
            .Takes<NameBody>()
            .WithSummary("Renames it. For admins.").Produces<OrganizationAnswer>();
        api.MapDelete("/organizations/{organization}/", DeleteAsync)
            .WithSummary("Deletes it and all of its projects. For owners.").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(ControlPlane plane, HttpContext context)
    {
        var list = await plane.Organizations.ListAsync(Callers.Of(context), context.RequestAborted);
        return list.Refusal is { } refusal
            ? refusal.ToError()
            : Paging.Answer(
                context, list.Value, OrganizationAnswer.Of, TenancyJson.Default.PageOrganizationAnswer);
    }

    private static async Task<IResult> CreateAsync(ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? name = body.Text("name", MaxName, required: true);
        if (body.Refusal is { } wrong) return wrong.ToError();

        var made = await plane.Organizations.CreateAsync(Callers.Of(context), name!, context.RequestAborted);
        return Answer(made, StatusCodes.Status201Created);
    }

    private static async Task<IResult> ReadAsync(string organization, ControlPlane plane, HttpContext context) =>
        Answer(await plane.Organizations.ReadAsync(Callers.Of(context), organization, context.RequestAborted));

    private static async Task<IResult> RenameAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? name = body.Text("name", MaxName, required: true);
        if (body.Refusal is { } wrong) return wrong.ToError();

        return Answer(await plane.Organizations.RenameAsync(
            Callers.Of(context), organization, name!, context.RequestAborted));
    }

    private static async Task<IResult> DeleteAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var gone = await plane.Organizations.DeleteAsync(Callers.Of(context), organization, context.RequestAborted);
        return gone.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }

    private static IResult Answer(Outcome<OrganizationAccess> outcome, int status = StatusCodes.Status200OK) =>
        outcome.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                OrganizationAnswer.Of(outcome.Value), TenancyJson.Default.OrganizationAnswer, statusCode: status);
}

/// <summary>An organization in PostHog's shape.</summary>
internal sealed record OrganizationAnswer(
    Guid Id, string Name, string Plan, int MembershipLevel, DateTimeOffset CreatedAt)
{
    public static OrganizationAnswer Of(OrganizationAccess organization) => new(
        organization.Id, organization.Name, organization.Plan, (int)organization.Level, organization.CreatedAt);
}
