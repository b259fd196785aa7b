namespace Gateway.Core.Tests.Shipping;

/// <summary>A clock that nobody waits for: a timer fires while it is made, and the time it was to take has passed.</summary>
/// <param name="passed">Called between the two: what others do meanwhile.</param>
internal sealed class JumpingTime(Action passed) : TimeProvider
{
    private long _ticks = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public long Micros => (_ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => new(_ticks, TimeSpan.Zero);

    public void Advance(TimeSpan by) => _ticks += by.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout.InfiniteTimeSpan) return new DeadTimer();

        Advance(dueTime);
        passed();
        callback(state);
        return new DeadTimer();
    }

    internal sealed class DeadTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>A clock whose timers never fire: who uses it decides by other means what comes too late.</summary>
internal sealed class NoTimers : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new JumpingTime.DeadTimer();
}
