using System.Text.Json.Serialization;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Invites of an organization: list, create, withdraw. Accepting one is signing up.</summary>
internal static class InviteEndpoints
{
    public static void MapInvites(this IEndpointRouteBuilder api)
    {
        const string Invites = "/organizations/{organization}/invites/";
        api.MapGet(Invites, ListAsync)
            .WithSummary("The invites that wait. For admins.").Produces<Page<InviteAnswer>>();
        api.MapPost(Invites, CreateAsync)
            .Takes<InviteBody>()
            .WithSummary("Invites an e-mail address; the answer's link is shown this once. For admins.")
            .Produces<InviteAnswer>(StatusCodes.Status201Created);
        api.MapDelete(Invites + "{invite}/", WithdrawAsync)
            .WithSummary("Withdraws an invite. For admins.").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var list = await plane.Invites.ListAsync(Callers.Of(context), organization, context.RequestAborted);
        return list.Refusal is { } refusal
            ? refusal.ToError()
            : Paging.Answer(context, list.Value, InviteAnswer.Of, TenancyJson.Default.PageInviteAnswer);
    }

    private static async Task<IResult> CreateAsync(string organization, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? text = body.Text("target_email", EmailAddress.MaxLength, required: true);
        var level = MemberEndpoints.Level(body, required: false) ?? MemberLevel.Member;
        if (!EmailAddress.TryNormalize(text ?? "", out string? email))
            body.Reject("target_email", "must be an e-mail address.");
        if (body.Refusal is { } wrong) return wrong.ToError();

        var made = await plane.Invites.CreateAsync(
            Callers.Of(context), organization, email!, level, context.RequestAborted);
        return made.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                InviteAnswer.Of(made.Value),
                TenancyJson.Default.InviteAnswer,
                statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> WithdrawAsync(
        string organization, string invite, ControlPlane plane, HttpContext context)
    {
        var gone = await plane.Invites.WithdrawAsync(
            Callers.Of(context), organization, invite, context.RequestAborted);
        return gone.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }
}

/// <summary>An invite in PostHog's shape; its link, the path to accept it at, only when just made.</summary>
internal sealed record InviteAnswer(
    string Id, string TargetEmail, long Level, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Link { get; init; }

    public static InviteAnswer Of(Invite invite) => new(
        invite.Uuid, invite.Email, invite.Level, invite.CreatedBy, Times.Of(invite.CreatedAt),
        Times.Of(invite.ExpiresAt))
    {
        Link = invite.Secret is null ? null : $"/api/invites/{invite.Secret}/",
    };

    /// <summary>Without the link.</summary>
    public override string ToString() => $"invite {Id}";
}
