using Gateway.Core;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Tokens;
using Gateway.Hosting;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Capture;

/// <summary>
/// The way of a request: read, wait for its project's turn, parse, look the token up, join the open group of the
/// journal, answer when the group has passed its fence and is on disk.
/// </summary>
internal sealed partial class CaptureHandler(
    GatewayState state,
    CaptureWorkPool pool,
    CaptureAdmission admission,
    CaptureCounters counters,
    Refusals refusals,
    CaptureLimits limits,
    TimeProvider time,
    ILogger<CaptureHandler> logger)
{
    // A look-up is made again each time its entry ended while the group waited. Changes come a few a second at most,
    // so a request that meets so many in a row is told to come back.
    private const int MaxLookups = 32;

    public async Task HandleAsync(HttpContext context, bool isEngage)
    {
        CaptureCors.Allow(context);
        var work = pool.Rent();
        CaptureOutcome outcome;
        try
        {
            work.Begin(context, isEngage);
            outcome = await CaptureAsync(work);
        }
        catch (BadHttpRequestException error)
        {
            outcome = RejectBadRequest(context.Response, error);
        }
        catch (IOException error) when (RequestFraming.IsBadChunk(error))
        {
            outcome = RejectBadRequest(context.Response, RequestFraming.BadChunk);
        }
        catch (Exception error)
        {
            outcome = Fail(context, error);
        }
        finally
        {
            admission.Written(work);
            pool.Return(work);
        }

        counters.Count(outcome);

        // What is kept waited for the journal. What was answered at once must not lead to the connection's next request
        // here: whoever sends one after the other would have a socket's thread for himself.
        if (outcome != CaptureOutcome.Kept) await ConnectionMemory.LeaveAsync(context);
    }

    /// <summary>
    /// The one that waits for the journal, and with its caller all that is allocated here for a request: what comes
    /// before is there at once, as a rule.
    /// </summary>
    private async ValueTask<CaptureOutcome> CaptureAsync(CaptureWork work)
    {
        if (state.Pipeline is not { } pipeline)
        {
            return CaptureAnswers.Unavailable(
                work.Context.Response, CaptureOutcome.Failed, "starting",
                "The gateway is starting: its journal is being recovered. Send this again.");
        }

        if (await PrepareAsync(pipeline, work) is { } refused) return refused;

        var parser = work.Parser;
        var fenced = default(AppendResult);
        for (int lookups = 0; lookups < MaxLookups; lookups++)
        {
            var lookup = await LookUpAsync(work.Context, pipeline.Tokens, parser.Token);
            if (lookup.State == TokenState.Mistyped) return Reject(work, TokenRejections.Mistyped);
            if (lookup.State == TokenState.Unavailable) return RefuseUnkept(work, AppendOutcome.Unfenced);

            var verdict = Judge(work.Context, lookup.Entry, parser);
            fenced = await JoinAsync(pipeline, lookup, verdict.Refusal is not null, work, fenced);
            admission.Written(work);
            if (fenced.Outcome == AppendOutcome.Kept)
            {
                FenceEpoch.Tell(work.Context, fenced.Epoch);
                return Answer(work, lookup.Entry, verdict);
            }

            if (verdict.Refusal is null) GiveQuotaBack(lookup.Entry!, parser);
            if (fenced.Outcome != AppendOutcome.Stale) return RefuseUnkept(work, fenced.Outcome);

            // What was erased by settings that may hold no longer is read again.
            if (lookup.Entry is { Rules.AnonymizesIps: true } && await ParseAsync(work) is { } rejection)
                return Reject(work, rejection);
        }

        return RefuseUnkept(work, AppendOutcome.Unfenced);
    }

    /// <summary>Reads and parses. Null when there is something to keep.</summary>
    private async ValueTask<CaptureOutcome?> PrepareAsync(CapturePipeline pipeline, CaptureWork work)
    {
        if (!CaptureAdmission.MayBeSmall(work.Context.Request)) await ConnectionMemory.LeaveAsync(work.Context);

        work.Body.Begin(admission.GuessOwner(work));
        var read = await work.Body.ReadAsync(work.Context, limits.MaxBodyBytes);
        if (read != BodyStatus.Complete) return RejectBody(work, read);

        work.ReceivedAtMicros = time.GetUtcNow().ToUnixMicroseconds();
        if (QuotaRefusals.TryFindEarly(work, pipeline.Tokens, Elapsed(), out var lookup)
            && await RefuseEarlyAsync(work.Context, pipeline, lookup) is { } early)
        {
            return early;
        }

        return await ParseAsync(work) is { } rejection ? Reject(work, rejection) : null;
    }

    /// <summary>Null when it is not certain any more, and the request goes its usual way.</summary>
    private async ValueTask<CaptureOutcome?> RefuseEarlyAsync(
        HttpContext context, CapturePipeline pipeline, TokenLookup lookup)
    {
        var fenced = await pipeline.Journal.FenceAsync(lookup.Version);
        if (fenced.Outcome != AppendOutcome.Kept) return null;

        var answer = lookup.Entry!.Meter!.Look(Elapsed());
        if (answer.Met == QuotaKind.None) return null;

        FenceEpoch.Tell(context, fenced.Epoch);
        return RefuseOverQuota(context.Response, lookup.Entry, answer);
    }

    private CaptureOutcome RejectBody(CaptureWork work, BodyStatus status)
    {
        switch (status)
        {
            case BodyStatus.TooLarge:
                return Reject(work, new Rejection(
                    RejectionReason.BodyTooLarge, $"The body is larger than {limits.MaxBodyBytes} bytes.", "body"));
            case BodyStatus.NoBudget:
                return Reject(work, TokenRejections.TooManyBytes);
            default:
                CaptureAnswers.TooSlow(work.Context);
                return CaptureOutcome.TimedOut;
        }
    }

    /// <summary>Parses when it is the project's turn. The slot is free again before anything is waited for.</summary>
    private async ValueTask<Rejection?> ParseAsync(CaptureWork work)
    {
        if (await admission.EnterAsync(work) is { } refusal) return refusal;

        try
        {
            pool.GiveParser(work);
            return Parse(work);
        }
        finally
        {
            admission.Leave(work);
        }
    }

    private static Rejection? Parse(CaptureWork work)
    {
        Span<byte> ip = stackalloc byte[ClientAddress.MaxBytes];
        var facts = ClientAddress.Facts(work.Context, work.IsEngage, ip);
        return work.Parser.Parse(work.Body.Bytes, facts, work.ReceivedAtMicros)
            ?? TokenPlaces.Check(work.Context.Request, work.Parser.Token.Span);
    }

    /// <summary>
    /// What the entry says of the request. What it needs of the project's quota is taken before it joins a group:
    /// others join beside it.
    /// </summary>
    private Verdict Judge(HttpContext context, TokenEntry? entry, CaptureParser parser)
    {
        if (entry is null) return new Verdict(TokenRejections.Unknown, default);
        if (entry.Rules.Origins.Count > 0 && !entry.Rules.Allow(PageOrigin.Of(context.Request)))
            return new Verdict(TokenRejections.ForeignOrigin, default);
        if (entry.Meter is not { } meter) return default;

        var answer = meter.Take(parser.AcceptedCount + parser.RefusedCount, parser.TextBytes, Elapsed());
        return answer.Met == QuotaKind.None ? default : new Verdict(TokenRejections.OverQuota, answer);
    }

    private static void GiveQuotaBack(TokenEntry entry, CaptureParser parser) =>
        entry.Meter?.GiveBack(parser.AcceptedCount + parser.RefusedCount, parser.TextBytes);

    private TimeSpan Elapsed() => time.GetElapsedTime(0);

    private ValueTask<TokenLookup> LookUpAsync(HttpContext context, TokenCheck tokens, ReadOnlyMemory<byte> token)
    {
        // Whether the client is gone is asked for only where somebody waits: to ask costs an object.
        if (!tokens.TryCheck(token.Span, out var hit)) return ResolveAsync(tokens, token, context.RequestAborted);

        counters.Count(hit.State);
        return new ValueTask<TokenLookup>(hit);
    }

    private async ValueTask<TokenLookup> ResolveAsync(
        TokenCheck tokens, ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        await SocketThreads.LeaveAsync();
        counters.CountAsked();
        var lookup = await tokens.ResolveAsync(token, cancellationToken);
        counters.Count(lookup.State);
        return lookup;
    }

    /// <summary>
    /// A refusal rests on the snapshot as much as an ack does, and is as final: it waits for a fence too. One that this
    /// request has waited for already will do, when the token was looked up again since: else refusals would starve
    /// while tokens change faster than groups go by.
    /// </summary>
    private ValueTask<AppendResult> JoinAsync(
        CapturePipeline pipeline,
        in TokenLookup lookup,
        bool isRefused,
        CaptureWork work,
        AppendResult fenced)
    {
        var parser = work.Parser;
        if (lookup.Entry is not { } entry || isRefused || parser.AcceptedCount + parser.RefusedCount == 0)
        {
            return fenced.Version > 0 && lookup.Version >= fenced.Version
                ? new ValueTask<AppendResult>(fenced with { Outcome = AppendOutcome.Kept })
                : pipeline.Journal.FenceAsync(lookup.Version);
        }

        if (entry.Rules.AnonymizesIps) parser.EraseAddresses();

        // Where it is the fence that is waited for, nothing is gained by turns: whoever comes is to hear of it soon.
        if (pipeline.Fence.IsAvailable) admission.Write(work);
        return pipeline.Journal.AppendAsync(entry, lookup.Version, work.ReceivedAtMicros, parser.Payload);
    }

    private CaptureOutcome Answer(CaptureWork work, TokenEntry? entry, in Verdict verdict)
    {
        bool isOverQuota = verdict.Quota.Met != QuotaKind.None;
        if (verdict.Refusal is { } refusal && !isOverQuota)
        {
            NoteRefusal(entry, refusal, work.Parser.Token.Span);
            return Reject(work, refusal);
        }

        CaptureAdmission.Remember(work, entry!.ProjectId, isOverQuota);
        return isOverQuota
            ? RefuseOverQuota(work.Context.Response, entry, verdict.Quota)
            : AnswerKept(work.Context, work.Parser);
    }

    /// <summary>For the people of the project; which one an unknown token was of is found out later.</summary>
    private void NoteRefusal(TokenEntry? entry, Rejection refusal, ReadOnlySpan<byte> token)
    {
        if (entry is not null) refusals.Count(entry.ProjectId, refusal.Reason);
        else refusals.CountUnknown(token, TokenFormat.IsProjectToken(token));
    }

    private CaptureOutcome AnswerKept(HttpContext context, CaptureParser parser)
    {
        counters.CountEvents(parser.AcceptedCount, parser.RefusedCount);
        if (context.Request.QueryString.HasValue && context.Request.Query["beacon"] == "1")
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        else if (parser.RefusedCount > 0) CaptureAnswers.Partial(context.Response, parser.RefusedCount, parser.Refused);
        else CaptureAnswers.Ok(context.Response);

        return CaptureOutcome.Kept;
    }

    private CaptureOutcome RefuseOverQuota(HttpResponse response, TokenEntry entry, in QuotaAnswer answer)
    {
        counters.Count(RejectionReason.RateLimited);
        counters.Count(answer.Met);
        refusals.Count(entry.ProjectId, RejectionReason.RateLimited);
        QuotaRefusals.Answer(response, entry.Rules.Quota, answer);
        return CaptureOutcome.RateLimited;
    }

    private CaptureOutcome Reject(CaptureWork work, Rejection rejection)
    {
        counters.Count(rejection.Reason);
        refusals.Count(rejection.Reason);
        return CaptureAnswers.Reject(work.Context.Response, rejection);
    }

    private static CaptureOutcome RefuseUnkept(CaptureWork work, AppendOutcome outcome)
    {
        var response = work.Context.Response;
        return outcome switch
        {
            AppendOutcome.Unfenced => CaptureAnswers.Unavailable(response, CaptureOutcome.Unfenced, "unfenced",
                "The gateway cannot ask whether this token still holds. Nothing was kept; send this again later."),
            AppendOutcome.DiskFull => CaptureAnswers.Unavailable(response, CaptureOutcome.DiskFull, "disk_full",
                "The gateway's disk is full. Nothing was kept; send this again later."),
            AppendOutcome.QuotaReached => CaptureAnswers.Unavailable(response, CaptureOutcome.OverQuota, "journal_full",
                "The gateway's journal has reached its quota. Nothing was kept; send this again later."),
            AppendOutcome.Closed => CaptureAnswers.Unavailable(response, CaptureOutcome.Failed, "stopping",
                "The gateway is stopping. Nothing was kept; send this again."),
            _ => CaptureAnswers.Unavailable(response, CaptureOutcome.Failed, "write_failed",
                "The gateway could not write its journal. Nothing was promised; send this again later."),
        };
    }

    private static CaptureOutcome RejectBadRequest(HttpResponse response, BadHttpRequestException error)
    {
        if (response.HasStarted) return CaptureOutcome.ClientGone;

        var (code, outcome) = error.StatusCode switch
        {
            StatusCodes.Status408RequestTimeout => ("body_read_timeout", CaptureOutcome.TimedOut),
            StatusCodes.Status413PayloadTooLarge => ("body_too_large", CaptureOutcome.TooLarge),
            _ => ("bad_request", CaptureOutcome.Malformed),
        };
        CaptureAnswers.Error(response, error.StatusCode, "validation_error", code, error.Message, "body");
        return outcome;
    }

    /// <summary>
    /// What nobody foresaw. An untouched response would be a 200, so a client that is still there is told to come back;
    /// one that is gone is no failure of ours.
    /// </summary>
    private CaptureOutcome Fail(HttpContext context, Exception error)
    {
        if (context.RequestAborted.IsCancellationRequested || error is ConnectionResetException)
        {
            context.Abort();
            return CaptureOutcome.ClientGone;
        }

        LogFailed(error);
        if (!context.Response.HasStarted)
        {
            return CaptureAnswers.Unavailable(context.Response, CaptureOutcome.Failed, "failed",
                "Something went wrong here. Nothing was promised; send this again later.");
        }

        context.Abort();
        return CaptureOutcome.Failed;
    }

    /// <param name="Refusal">Null: it may be kept.</param>
    /// <param name="Quota">The limit of the project's that was met, if that is why.</param>
    private readonly record struct Verdict(Rejection? Refusal, QuotaAnswer Quota);

    [LoggerMessage(Level = LogLevel.Error, Message = "A capture request failed in a way that was not foreseen.")]
    private partial void LogFailed(Exception error);
}
