using System.Collections.Concurrent;
using Gateway.Core.Events;

namespace Gateway.Capture;

/// <summary>
/// What one request needs while it is worked on: its body, and a parser that charges to the same budget.
/// </summary>
internal sealed record CaptureWork(CaptureBody Body, CaptureParser Parser);

/// <summary>
/// Bodies and parsers, used again and again. What a pooled one keeps is small (four buffers of 64 KiB at most) and not
/// charged to requests; all above it is, while it is held.
/// </summary>
internal sealed class CaptureWorkPool(InFlightBudget budget, CaptureLimits limits)
{
    private const int MaxPooled = 128;

    private readonly ConcurrentQueue<CaptureWork> _pool = new();

    public CaptureWork Rent()
    {
        if (_pool.TryDequeue(out var work)) return work;

        var body = new CaptureBody(budget);
        return new CaptureWork(body, new CaptureParser(limits, body.TryCharge));
    }

    public void Return(CaptureWork work)
    {
        work.Parser.Reset();
        work.Body.Reset();
        if (_pool.Count < MaxPooled) _pool.Enqueue(work);
        else work.Parser.Dispose();
    }
}
