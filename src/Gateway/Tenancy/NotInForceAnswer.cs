using System.Text.Json.Serialization;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;

namespace Gateway.Tenancy;

/// <summary>
/// 503 for a change that is recorded and not yet in force: an error as every other, and what success would have said,
/// so that whoever cannot wait knows both tokens.
/// </summary>
internal sealed record NotInForceAnswer(string Type, string Code, string Detail, string? Attr, long Epoch)
{
    private const string RetryAfterSeconds = "2";

    private const string ByItself =
        "This is recorded, but gateways may still go by what was before. It comes into force by itself within two "
        + "seconds of the fence's return.";

    /// <summary>The project as it is recorded, with its new token; null for other changes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ProjectAnswer? Recorded { get; init; }

    /// <summary>The token that may still be accepted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OldApiToken { get; init; }

    public static IResult Of(NotInForceException waiting)
    {
        var answer = new NotInForceAnswer("server_error", "not_in_force", ByItself, Attr: null, waiting.Epoch);
        return waiting.Recorded switch
        {
            TokenReset reset => new Answer(isRepeatable: true, answer with
            {
                Detail = $"{ByItself} To be told when it has, send the same request again within two minutes.",
                Recorded = ProjectAnswer.Of(reset.Project) with { ApiToken = reset.Token },
                OldApiToken = reset.OldToken,
            }),
            ProjectAccess project => new Answer(false, answer with { Recorded = ProjectAnswer.Of(project) }),
            _ => new Answer(false, answer),
        };
    }

    private sealed class Answer(bool isRepeatable, NotInForceAnswer body) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            // Only this can be sent again without making another one.
            if (isRepeatable) httpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
            return TypedResults.Json(
                    body, TenancyJson.Default.NotInForceAnswer, statusCode: StatusCodes.Status503ServiceUnavailable)
                .ExecuteAsync(httpContext);
        }
    }
}
