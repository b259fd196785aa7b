namespace Gateway.Tenancy;

/// <summary>
/// Work in the background that must not end and must not end the gateway: what fails is told once and tried again,
/// after pauses that double up to a limit.
/// </summary>
internal sealed class PatientLoop(string work, TimeSpan pace, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private int _failures;

    /// <summary>Steps until the token is cancelled, or the step says that it is done.</summary>
    public async Task RunAsync(Func<CancellationToken, Task<bool>> isDone, CancellationToken cancellationToken)
    {
        try
        {
            while (!await TryAsync(isDone, cancellationToken)) await Task.Delay(Pause(), time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> TryAsync(Func<CancellationToken, Task<bool>> isDone, CancellationToken cancellationToken)
    {
        try
        {
            bool done = await isDone(cancellationToken);
            if (_failures > 0) ErasureLog.Resumed(log, work, _failures);
            _failures = 0;
            return done;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (_failures++ == 0) ErasureLog.Stalled(log, work, exception.Message);
            return false;
        }
    }

    private TimeSpan Pause()
    {
        if (_failures == 0) return pace;

        var pause = pace * Math.Pow(2, Math.Min(_failures, 10));
        return pause < LongestPause ? pause : LongestPause;
    }
}
