using Gateway.Core;
using Gateway.Core.Admission;
using Gateway.Core.Events;
using Gateway.Hosting;

namespace Gateway.Capture;

/// <summary>
/// Who is worked on when all want to be. Inflating and parsing is what capture costs, so only so much of it goes on at
/// once; when there is more, projects take turns. Whose a request is, is guessed before it is parsed: from what can
/// be seen of its token, else from its connection, else from its client's address.
/// </summary>
internal sealed class CaptureAdmission(AdmissionGate gate, TokenHints hints, CaptureLimits limits)
{
    // An event of this size is parsed in less than its request's way through the server has taken: to let it wait for
    // its turn would cost more than the turn. It is for those who were let in before, since not all that is so small
    // is cheap.
    private const int SmallBytes = 4 << 10;

    /// <summary>Whose a body is taken to be before anything of it was read.</summary>
    public ulong GuessOwner(CaptureWork work)
    {
        if (work.Memory is { Project: not TokenHints.None } memory) return memory.Project;

        Span<byte> address = stackalloc byte[ClientAddress.MaxBytes];
        return hints.OfAddress(address[..ClientAddress.Write(work.Context, address)]);
    }

    /// <summary>
    /// Takes a slot, at once or when it is the project's turn; <see cref="Leave"/> gives it back. A rejection: it has
    /// none. A small body needs none on a connection whose last one was small, and kept.
    /// </summary>
    /// <exception cref="OperationCanceledException">The client went while it waited.</exception>
    public ValueTask<Rejection?> EnterAsync(CaptureWork work)
    {
        work.Cost = long.MaxValue;
        work.IsSmall = IsSmall(work.Context.Request, work.Body.Bytes.Span);
        work.HoldsSlot = !(work.IsSmall && work.Memory is { IsQuick: true });
        if (!work.HoldsSlot) return default;

        return Thread.CurrentThread.IsThreadPoolThread && gate.TryEnter() ? default : WaitAsync(work);
    }

    /// <summary>After the parse. What the body cost more than it seemed to is charged to its project.</summary>
    public void Leave(CaptureWork work)
    {
        if (!work.HoldsSlot) return;

        gate.Leave(work.Body.Owner, work.HasParser ? work.Parser.TextBytes - work.Cost : 0);
    }

    /// <summary>
    /// It is appended to the journal; counted until <see cref="Written"/>. Only what had to take a slot is, since only
    /// that can wait for its turn before it is parsed.
    /// </summary>
    public void Write(CaptureWork work)
    {
        if (!work.HoldsSlot) return;

        work.UnwrittenBytes = work.Parser.Payload.Length;
        gate.Write(work.UnwrittenBytes);
    }

    /// <summary>The journal has done with it, whatever came of it.</summary>
    public void Written(CaptureWork work)
    {
        if (work.UnwrittenBytes == 0) return;

        gate.Written(work.UnwrittenBytes);
        work.UnwrittenBytes = 0;
    }

    /// <summary>What a connection's next request may be taken for.</summary>
    public static void Remember(CaptureWork work, ulong projectId, bool isOverQuota)
    {
        if (work.Memory is not { } memory) return;

        memory.Project = TokenHints.OfProject(projectId);
        memory.IsOverQuota = isOverQuota;
        memory.IsQuick = work.IsSmall && !isOverQuota;
    }

    /// <summary>Whether a request may turn out to be small, before anything of its body was read.</summary>
    public static bool MayBeSmall(HttpRequest request) =>
        request.ContentLength <= SmallBytes && (request.QueryString.Value?.Length ?? 0) <= SmallBytes;

    /// <summary>Plain JSON does not grow, and is all there is to parse unless there is data in the query.</summary>
    private bool IsSmall(HttpRequest request, ReadOnlySpan<byte> body) =>
        gate.IsFair
        && body is [(byte)'{' or (byte)'[', ..]
        && MayBeSmall(request)
        && UrlEncoded.Find(request.QueryString.Value, "data").IsEmpty;

    private async ValueTask<Rejection?> WaitAsync(CaptureWork work)
    {
        var context = work.Context;
        await SocketThreads.LeaveAsync();
        if (gate.TryEnter()) return null;

        // Only one that has to wait is worth inflating a little of.
        var body = work.Body;
        ulong key = hints.Find(context.Request.QueryString.Value, body.Bytes);
        if (key != TokenHints.None && !body.TryMoveTo(key)) return TokenRejections.TooManyBytes;

        work.Cost = TokenHints.CostOf(body.Bytes.Span, limits.MaxBodyBytes);
        return await gate.EnterAsync(body.Owner, work.Cost, context.RequestAborted) switch
        {
            AdmissionOutcome.Entered => null,
            AdmissionOutcome.Overloaded => TokenRejections.TooManyWaiting,
            _ => throw new OperationCanceledException(context.RequestAborted),
        };
    }
}
