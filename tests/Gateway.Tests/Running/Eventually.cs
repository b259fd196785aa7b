using System.Diagnostics;

namespace Gateway.Tests.Running;

/// <summary>Waits for a condition instead of a time.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<Task<bool>> condition, TimeSpan limit, Func<string> what)
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed < limit)
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                last = error;
            }

            await Task.Delay(25);
        }

        Assert.Fail($"Within {limit.TotalSeconds:0} s it did not come true that {what()}\n{last}");
    }
}
