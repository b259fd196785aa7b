using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Gateway.LoadTests.Clients;

/// <summary>
/// Says when the next one is due. .NET's timers wake up once a millisecond, which is more than a request takes: then
/// most of what is measured would be the wait for a timer.
/// </summary>
internal static partial class Arrivals
{
    // At high rates a few at a time, or this thread would take a processor for itself.
    private const double LeastPauseSeconds = 0.000_25;
    private const double MostPauseSeconds = 0.1;

    /// <summary>Writes the numbers from 0 on, each when it is due by the clock, on a thread of its own.</summary>
    public static Task WriteAsync(
        ChannelWriter<long> due, long count, double rate, Stopwatch clock, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(
            () => Write(due, count, rate, clock, cancellationToken),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

    private static void Write(
        ChannelWriter<long> due, long count, double rate, Stopwatch clock, CancellationToken cancellationToken)
    {
        long next = 0;
        while (next < count && !cancellationToken.IsCancellationRequested)
        {
            long now = Math.Min(count, (long)(clock.Elapsed.TotalSeconds * rate) + 1);
            while (next < now) due.TryWrite(next++);
            Pause((next / rate) - clock.Elapsed.TotalSeconds);
        }

        due.Complete();
    }

    private static void Pause(double seconds)
    {
        double nanoseconds = Math.Clamp(seconds, LeastPauseSeconds, MostPauseSeconds) * 1e9;
        _ = NanoSleep(new TimeSpec { Nanoseconds = (long)nanoseconds }, 0);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec howLong, nint left);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
