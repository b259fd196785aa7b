using System.Text.Json.Serialization;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;

namespace Gateway.Tenancy;

/// <summary>The management API: everything about organizations, projects, their people and keys.</summary>
internal static class TenancyRoutes
{
    public static void MapTenancy(this IEndpointRouteBuilder routes)
    {
        // A last slash more or less makes no difference to routing.
        var api = routes.MapGroup("/api").AddEndpointFilter(AnswerUnavailableAsync);
        api.MapOrganizations();
        api.MapMembers();
        api.MapInvites();
        api.MapAuditLog();
        api.MapProjects();
        api.MapProjectMembers();
        api.MapDeletedProjects();
        api.MapKeys();
    }

    /// <summary>Who somebody is; what it needs is <see cref="AddSignIn"/>'s.</summary>
    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").AddEndpointFilter(AnswerUnavailableAsync);
        ActivatorUtilities.CreateInstance<SignInEndpoints>(routes.ServiceProvider).Map(api);
        ActivatorUtilities.CreateInstance<UserEndpoints>(routes.ServiceProvider).Map(api);
    }

    public static void AddSignIn(this IServiceCollection services, TimeProvider time, bool allowSignUp)
    {
        services.AddSessionCookie(time);
        services.AddSingleton<Passwords>();
        services.AddSingleton(new AttemptLimits(time));
        services.AddSingleton(new SignUpPolicy(allowSignUp));
    }

    internal static async ValueTask<object?> AnswerUnavailableAsync(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (NotInForceException waiting)
        {
            return NotInForceAnswer.Of(waiting);
        }
        catch (TokenStoreException)
        {
            return ApiError.Unavailable("The accounts cannot be read or written just now. Nothing was done for sure.");
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProjectAnswer))]
[JsonSerializable(typeof(NotInForceAnswer))]
[JsonSerializable(typeof(Page<ProjectAnswer>))]
[JsonSerializable(typeof(Page<DeletedProjectAnswer>))]
[JsonSerializable(typeof(ProjectMemberAnswer))]
[JsonSerializable(typeof(Page<ProjectMemberAnswer>))]
[JsonSerializable(typeof(OrganizationAnswer))]
[JsonSerializable(typeof(Page<OrganizationAnswer>))]
[JsonSerializable(typeof(MemberAnswer))]
[JsonSerializable(typeof(Page<MemberAnswer>))]
[JsonSerializable(typeof(InviteAnswer))]
[JsonSerializable(typeof(Page<InviteAnswer>))]
[JsonSerializable(typeof(KeyAnswer))]
[JsonSerializable(typeof(Page<KeyAnswer>))]
[JsonSerializable(typeof(AuditPageAnswer))]
[JsonSerializable(typeof(AuditCheckAnswer))]
internal sealed partial class TenancyJson : JsonSerializerContext;
