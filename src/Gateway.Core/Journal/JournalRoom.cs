using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>
/// Whether there is room for another append. Asked by each group and by the status; the disk itself at most once a
/// second, so that a journal that refuses takes appends again by itself as soon as there is room.
/// </summary>
internal sealed class JournalRoom(JournalOptions options, IDisk disk, TimeProvider time, ILogger logger)
{
    private const long LeastFreeBytes = 2L << 30;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private DiskSpace _space;
    private long? _measuredAt;
    private AppendOutcome _state = AppendOutcome.Kept;

    /// <summary><see cref="AppendOutcome.Kept"/> when there is room, else why there is not.</summary>
    public AppendOutcome Check(long bytesWaiting)
    {
        lock (_lock)
        {
            Measure();
            long floor = options.MinFreeBytes
                ?? Math.Max(bytesWaiting, Math.Max(LeastFreeBytes, _space.TotalBytes / 10));
            var state = bytesWaiting >= options.QuotaBytes ? AppendOutcome.QuotaReached
                : _space.FreeBytes < floor ? AppendOutcome.DiskFull
                : AppendOutcome.Kept;

            if (state != _state) Report(state, bytesWaiting, floor);
            _state = state;
            return state;
        }
    }

    /// <summary>Makes the next check ask the disk: something was freed.</summary>
    public void Invalidate()
    {
        lock (_lock) _measuredAt = null;
    }

    private void Measure()
    {
        if (_measuredAt is { } at && time.GetElapsedTime(at) < Freshness) return;

        _measuredAt = time.GetTimestamp();
        try
        {
            _space = disk.GetSpace(options.Directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            JournalLog.SpaceUnknown(logger, exception);
            _space = default;
        }
    }

    private void Report(AppendOutcome state, long bytesWaiting, long floor)
    {
        if (state == AppendOutcome.Kept) JournalLog.Accepting(logger);
        else JournalLog.Refusing(logger, state, bytesWaiting, _space.FreeBytes, floor);
    }
}
