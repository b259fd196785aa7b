using System.Collections.Concurrent;
using Gateway.Core.Admission;
using Gateway.Core.Events;

namespace Gateway.Capture;

/// <summary>
/// What one request needs while it is worked on: its body, and from its turn on a parser that charges to the same
/// budget. Many may wait with their bodies; few are parsed, and on their way to the disk, at one time.
/// </summary>
internal sealed class CaptureWork(CaptureBody body)
{
    private PooledParser? _parser;

    public HttpContext Context { get; private set; } = null!;

    /// <summary>Of the request's connection.</summary>
    public ConnectionMemory? Memory { get; private set; }

    /// <summary>Whether it came in on <c>/engage</c>.</summary>
    public bool IsEngage { get; private set; }

    /// <summary>When its body was there, microseconds since 1970 UTC.</summary>
    public long ReceivedAtMicros { get; set; }

    public CaptureBody Body => body;

    /// <summary>What the parse was thought to cost while it waited for its turn, in bytes.</summary>
    public long Cost { get; set; }

    /// <summary>Whether there was little to parse.</summary>
    public bool IsSmall { get; set; }

    /// <summary>Whether it takes up one of the slots of <see cref="CaptureAdmission"/> while it is parsed.</summary>
    public bool HoldsSlot { get; set; }

    /// <summary>What <see cref="CaptureAdmission"/> counts of it as waiting for the disk.</summary>
    public long UnwrittenBytes { get; set; }

    /// <summary>Once it was given.</summary>
    public CaptureParser Parser => _parser!.Parser;

    public bool HasParser => _parser is not null;

    public void Begin(HttpContext context, bool isEngage) =>
        (Context, IsEngage, Memory) = (context, isEngage, context.Features.Get<ConnectionMemory>());

    public void End() => (Context, IsEngage, Memory) = (null!, false, null);

    public void Give(PooledParser parser)
    {
        parser.Payer = body;
        _parser = parser;
    }

    public PooledParser? TakeParser()
    {
        var parser = _parser;
        _parser = null;
        return parser;
    }
}

/// <summary>A parser, and whoever pays for its buffers just now.</summary>
internal sealed class PooledParser
{
    public PooledParser(CaptureLimits limits) => Parser = new CaptureParser(limits, TryCharge);

    public CaptureParser Parser { get; }

    public CaptureBody? Payer { get; set; }

    private bool TryCharge(long bytes) => Payer!.TryCharge(bytes);
}

/// <summary>
/// Bodies and parsers, used again and again. What a pooled one keeps is small (16 KiB a body, four buffers of 64 KiB
/// a parser at most) and not charged to requests; all above it is, while it is held.
/// </summary>
internal sealed class CaptureWorkPool(InFlightBudget budget, CaptureLimits limits, TokenHints hints)
{
    private const int MaxBodies = 1024;
    private const int MaxParsers = 128;

    private readonly ConcurrentQueue<CaptureWork> _works = new();
    private readonly ConcurrentQueue<PooledParser> _parsers = new();

    /// <summary>With a body; a parser is given when there is something to parse.</summary>
    public CaptureWork Rent() =>
        _works.TryDequeue(out var work) ? work : new CaptureWork(new CaptureBody(budget, hints));

    public void GiveParser(CaptureWork work)
    {
        if (work.HasParser) return;

        work.Give(_parsers.TryDequeue(out var parser) ? parser : new PooledParser(limits));
    }

    public void Return(CaptureWork work)
    {
        if (work.TakeParser() is { } parser)
        {
            parser.Parser.Reset();
            parser.Payer = null;
            if (_parsers.Count < MaxParsers) _parsers.Enqueue(parser);
            else parser.Parser.Dispose();
        }

        work.Body.Reset();
        work.End();
        if (_works.Count < MaxBodies) _works.Enqueue(work);
    }
}
