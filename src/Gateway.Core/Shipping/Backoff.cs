namespace Gateway.Core.Shipping;

/// <summary>
/// Pauses that double from try to try, up to a limit. Each is shortened by chance: gateways must not march in step.
/// </summary>
internal sealed class Backoff(ShipperOptions options, Random random, TimeProvider time)
{
    private TimeSpan? _next;

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var longest = _next ?? options.FirstRetry;
        _next = longest * 2 < options.LongestRetry ? longest * 2 : options.LongestRetry;
        await Task.Delay(longest * (0.5 + (random.NextDouble() / 2)), time, cancellationToken);
    }

    public void Reset() => _next = null;
}
