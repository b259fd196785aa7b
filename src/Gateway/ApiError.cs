using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway;

/// <summary>
/// An error as every route of the API says it: <c>{"type":…,"code":…,"detail":…,"attr":…}</c>, in PostHog's words.
/// </summary>
/// <param name="Type">The family: validation_error, authentication_error, invalid_request, throttled_error,
/// server_error.</param>
/// <param name="Code">For programs.</param>
/// <param name="Detail">A sentence for people; never holds a token or a key.</param>
/// <param name="Attr">The field at fault, or null.</param>
internal sealed record ApiError(string Type, string Code, string Detail, string? Attr = null)
{
    /// <summary>400: the request is at fault.</summary>
    public static IResult Validation(string detail, string? attr = null, string code = "invalid_input") =>
        Json(StatusCodes.Status400BadRequest, new ApiError("validation_error", code, detail, attr));

    /// <summary>401: nobody, or somebody unknown.</summary>
    public static IResult Unauthenticated(string detail, string code = "authentication_failed") =>
        new WithHeader(
            Json(StatusCodes.Status401Unauthorized, new ApiError("authentication_error", code, detail)),
            "WWW-Authenticate",
            "Bearer");

    /// <summary>403: known, but not allowed.</summary>
    public static IResult Forbidden(string detail, string code = "permission_denied") =>
        Json(StatusCodes.Status403Forbidden, new ApiError("authentication_error", code, detail));

    /// <summary>404: not there, or not the caller's; the answer is the same.</summary>
    public static IResult NotFound(string detail = "Not found.") =>
        Json(StatusCodes.Status404NotFound, new ApiError("invalid_request", "not_found", detail));

    /// <summary>415: not sent as JSON.</summary>
    public static IResult UnsupportedMediaType(string detail) =>
        Json(
            StatusCodes.Status415UnsupportedMediaType,
            new ApiError("invalid_request", "unsupported_media_type", detail));

    /// <summary>429: too often.</summary>
    public static IResult TooMany(string detail, int retryAfterSeconds = 60) =>
        new WithHeader(
            Json(StatusCodes.Status429TooManyRequests, new ApiError("throttled_error", "throttled", detail)),
            "Retry-After",
            retryAfterSeconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>503: try again; nothing was lost.</summary>
    public static IResult Unavailable(string detail, int retryAfterSeconds = 1) =>
        new WithHeader(
            Json(StatusCodes.Status503ServiceUnavailable, new ApiError("server_error", "unavailable", detail)),
            "Retry-After",
            retryAfterSeconds.ToString(CultureInfo.InvariantCulture));

    private static JsonHttpResult<ApiError> Json(int status, ApiError error) =>
        TypedResults.Json(error, ApiErrorJson.Default.ApiError, statusCode: status);

    private sealed class WithHeader(IResult result, string name, string value) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[name] = value;
            return result.ExecuteAsync(httpContext);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class ApiErrorJson : JsonSerializerContext;
