using System.Buffers;
using System.Text.Encodings.Web;
using Gateway.Core;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Gateway.Hosting;

namespace Gateway.Capture;

/// <summary>
/// What PostHog's SDKs ask for beside capture: remote configuration, flags, recordings and their own scripts. All
/// that we do not have is switched off here, so that an SDK asks no further and logs no error.
/// </summary>
internal sealed class SdkEndpoints(GatewayState state, CaptureWorkPool pool, CaptureAdmission admission)
{
    private const int MaxFlagsBytes = 1 << 20;
    private const int MaxLookups = 32;

    private const string RemoteConfig =
        """
        "supportedCompression":["gzip","gzip-js"],"analytics":{"endpoint":"/i/v0/e/"},"hasFeatureFlags":false,
        "autocapture_opt_out":false,"autocaptureExceptions":false,"capturePerformance":false,
        "captureDeadClicks":false,"sessionRecording":false,"heatmaps":false,"elementsChainAsString":true,
        "defaultIdentifiedOnly":true,"siteApps":[],"conversations":false,"productTours":false
        """;

    private static ReadOnlySpan<byte> NoFlags =>
        "{\"flags\":{},\"featureFlags\":{},\"featureFlagPayloads\":{},\"errorsWhileComputingFlags\":false}"u8;

    private static ReadOnlySpan<byte> NoDecision =>
        """
        {"featureFlags":{},"featureFlagPayloads":{},"errorsWhileComputingFlags":false,"config":{},"toolbarParams":{},
        "isAuthenticated":false,"supportedCompression":["gzip","gzip-js"],"sessionRecording":false,"siteApps":[]}
        """u8;

    private static ReadOnlySpan<byte> NoRecordings => "{\"status\":\"Ok\",\"quota_limited\":[\"recordings\"]}"u8;

    /// <summary>For the parsers of the pool: a question about flags is small, sent or inflated.</summary>
    public static CaptureLimits Limit(CaptureLimits limits) =>
        limits with { MaxBodyBytes = Math.Min(limits.MaxBodyBytes, MaxFlagsBytes) };

    public void Map(IEndpointRouteBuilder endpoints)
    {
        Map(endpoints, "POST", "/flags", context => AnswerFlagsAsync(context, decide: false));
        Map(endpoints, "POST", "/decide", context => AnswerFlagsAsync(context, decide: true));
        Map(endpoints, "POST", "/s", AnswerRecordings);
        Map(endpoints, "GET", "/array/{token}/config", context => AnswerConfigAsync(context, script: false));
        Map(endpoints, "GET", "/array/{token}/config.js", context => AnswerConfigAsync(context, script: true));
    }

    private static void Map(IEndpointRouteBuilder endpoints, string method, string path, RequestDelegate handler)
    {
        endpoints.MapMethods(path, [method], context =>
        {
            CaptureCors.Allow(context);
            return handler(context);
        });
        endpoints.MapMethods(path, [HttpMethods.Options], CaptureCors.AnswerPreflight);
    }

    // Recordings are not kept, and the answer says so in the words that pause an SDK's uploads.
    private static Task AnswerRecordings(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.BodyWriter.Write(NoRecordings);
        return Task.CompletedTask;
    }

    private async Task AnswerFlagsAsync(HttpContext context, bool decide)
    {
        var work = pool.Rent();
        try
        {
            work.Begin(context, isEngage: false);
            work.Body.Begin(admission.GuessOwner(work));
            var read = await work.Body.ReadAsync(context, MaxFlagsBytes);
            if (read == BodyStatus.Stalled)
            {
                CaptureAnswers.TooSlow(context);
                return;
            }

            var rejection = read switch
            {
                BodyStatus.Complete => await FindTokenAsync(context, work),
                BodyStatus.TooLarge => new Rejection(
                    RejectionReason.BodyTooLarge, $"The body is larger than {MaxFlagsBytes} bytes.", "body"),
                _ => TokenRejections.TooManyBytes,
            };
            if (rejection is not null)
            {
                CaptureAnswers.Reject(context.Response, rejection);
                return;
            }

            if (!await IsLiveAsync(context, work.Parser.Token, StatusCodes.Status401Unauthorized)) return;

            context.Response.ContentType = "application/json";
            context.Response.BodyWriter.Write(decide ? NoDecision : NoFlags);
        }
        catch (BadHttpRequestException error)
        {
            CaptureAnswers.Error(
                context.Response, error.StatusCode, "validation_error", "bad_request", error.Message, "body");
        }
        finally
        {
            pool.Return(work);
        }
    }

    /// <summary>In its turn: nobody need have a token to have this parsed.</summary>
    private async ValueTask<Rejection?> FindTokenAsync(HttpContext context, CaptureWork work)
    {
        if (await admission.EnterAsync(work) is { } refusal) return refusal;

        try
        {
            pool.GiveParser(work);
            return work.Parser.ParseToken(work.Body.Bytes, ClientAddress.Facts(context, isEngage: false, []));
        }
        finally
        {
            admission.Leave(work);
        }
    }

    private async Task AnswerConfigAsync(HttpContext context, bool script)
    {
        string token = (string)context.Request.RouteValues["token"]!;
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(token);
        if (!await IsLiveAsync(context, bytes, StatusCodes.Status404NotFound)) return;

        string encoded = $"\"{JavaScriptEncoder.Default.Encode(token)}\"";
        string config = $"{{\"token\":{encoded},{RemoteConfig}}}";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = script ? "application/javascript; charset=utf-8" : "application/json";
        await context.Response.WriteAsync(script
            ? $"(function(){{var c=window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{{}};"
                + $"c[{encoded}]={{config:{config},siteApps:[]}};}})();"
            : config, context.RequestAborted);
    }

    /// <summary>True when the token is live by a fence of this moment; otherwise the refusal is written.</summary>
    private async ValueTask<bool> IsLiveAsync(HttpContext context, ReadOnlyMemory<byte> token, int refusedStatus)
    {
        var fenced = new AppendResult(AppendOutcome.Stale, 0, long.MaxValue);
        for (int lookups = 0; state.Pipeline is { } pipeline && lookups < MaxLookups; lookups++)
        {
            var lookup = pipeline.Tokens.TryCheck(token.Span, out var hit)
                ? hit
                : await pipeline.Tokens.ResolveAsync(token, context.RequestAborted);

            if (lookup.State == TokenState.Mistyped)
            {
                Refuse(context.Response, TokenRejections.Mistyped, refusedStatus);
                return false;
            }

            if (lookup.State == TokenState.Unavailable) break;

            // Looked up again after a fence that this request has waited for: that one covers it.
            if (lookup.Version < fenced.Version)
            {
                fenced = await pipeline.Journal.FenceAsync(lookup.Version);
                if (fenced.Outcome == AppendOutcome.Stale) continue;
                if (fenced.Outcome != AppendOutcome.Kept) break;
            }

            if (lookup.Entry is null) Refuse(context.Response, TokenRejections.Unknown, refusedStatus);
            return lookup.Entry is not null;
        }

        CaptureAnswers.Unavailable(
            context.Response, CaptureOutcome.Unfenced, "unfenced", "The gateway cannot check this token now.");
        return false;
    }

    private static void Refuse(HttpResponse response, Rejection rejection, int status)
    {
        string type = status == StatusCodes.Status404NotFound ? "not_found" : "authentication_error";
        CaptureAnswers.Error(
            response, status, type, RejectionStatus.Code(rejection.Reason), rejection.Detail, rejection.Attr);
    }
}
