using System.Globalization;
using System.Text.Json.Serialization;
using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Personal API keys of the caller: list, create, rename, roll, revoke.</summary>
internal static class KeyEndpoints
{
    private const int MaxLabel = 40;
    private const int MaxBindings = 100;

    public static void MapKeys(this IEndpointRouteBuilder api)
    {
        const string Keys = "/personal_api_keys/";
        api.MapGet(Keys, ListAsync)
            .WithSummary("The caller's keys, without their values.").Produces<Page<KeyAnswer>>();
        api.MapPost(Keys, CreateAsync)
            .Takes<NewKeyBody>()
            .WithSummary("A new key; its value is shown this once.")
            .Produces<KeyAnswer>(StatusCodes.Status201Created);
        api.MapGet(Keys + "{key}/", ReadAsync).WithSummary("One of the caller's keys.").Produces<KeyAnswer>();
        api.MapPatch(Keys + "{key}/", RenameAsync).Takes<LabelBody>()
            .WithSummary("Changes its label.").Produces<KeyAnswer>();
        api.MapPost(Keys + "{key}/roll/", RollAsync)
            .WithSummary("A new value for the same key; the old one opens nothing from the answer on.")
            .Produces<KeyAnswer>();
        api.MapDelete(Keys + "{key}/", RevokeAsync)
            .WithSummary("Revokes it: it opens nothing from the answer on.").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(ControlPlane plane, HttpContext context)
    {
        var list = await plane.Keys.ListAsync(Callers.Of(context), context.RequestAborted);
        return list.Refusal is { } refusal
            ? refusal.ToError()
            : Paging.Answer(context, list.Value, KeyAnswer.Of, TenancyJson.Default.PageKeyAnswer);
    }

    private static async Task<IResult> ReadAsync(string key, ControlPlane plane, HttpContext context)
    {
        var found = await plane.Keys.ReadAsync(Callers.Of(context), key, context.RequestAborted);
        if (found.Refusal is { } refusal) return refusal.ToError();

        return found.Value is null
            ? ApiError.NotFound("There is no such personal API key.")
            : TypedResults.Json(KeyAnswer.Of(found.Value), TenancyJson.Default.KeyAnswer);
    }

    private static async Task<IResult> CreateAsync(ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? label = body.Text("label", MaxLabel, required: true);
        var scopes = body.Texts("scopes", maxCount: 20, maxLength: 40, required: true);
        var organizations = body.Uuids("scoped_organizations", MaxBindings);
        var projects = body.Ids("scoped_projects", MaxBindings);
        if (body.Refusal is { } wrong) return wrong.ToError();

        var wanted = new NewKey(
            label!,
            scopes!,
            [.. (organizations ?? []).Select(id => id.ToString())],
            [.. (projects ?? []).Select(id => id.ToString(CultureInfo.InvariantCulture))]);
        return Answer(
            await plane.Keys.CreateAsync(Callers.Of(context), wanted, context.RequestAborted),
            StatusCodes.Status201Created);
    }

    private static async Task<IResult> RenameAsync(string key, ControlPlane plane, HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;
        string? label = body.Text("label", MaxLabel, required: true);
        if (body.Refusal is { } wrong) return wrong.ToError();

        return Answer(await plane.Keys.RenameAsync(Callers.Of(context), key, label!, context.RequestAborted));
    }

    private static async Task<IResult> RollAsync(string key, ControlPlane plane, HttpContext context) =>
        Answer(await plane.Keys.RollAsync(Callers.Of(context), key, context.RequestAborted));

    private static async Task<IResult> RevokeAsync(string key, ControlPlane plane, HttpContext context)
    {
        var gone = await plane.Keys.RevokeAsync(Callers.Of(context), key, context.RequestAborted);
        return gone.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }

    private static IResult Answer(Outcome<PersonalKey> key, int status = StatusCodes.Status200OK) =>
        key.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(KeyAnswer.Of(key.Value), TenancyJson.Default.KeyAnswer, statusCode: status);
}

/// <summary>A personal API key in PostHog's shape; its value only when it was just made or rolled.</summary>
internal sealed record KeyAnswer(
    long Id, string Label, string MaskValue, IReadOnlyList<string> Scopes, IReadOnlyList<string> ScopedOrganizations,
    IReadOnlyList<long> ScopedProjects, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Value { get; init; }

    public static KeyAnswer Of(PersonalKey key) => new(
        key.Id, key.Label, key.Mask, key.Scopes.Split(' '), key.Organizations, key.Projects,
        Times.Of(key.CreatedAt), Times.Of(key.LastUsedAt))
    {
        Value = key.Value,
    };

    /// <summary>Without the value.</summary>
    public override string ToString() => $"key {Id}";
}
