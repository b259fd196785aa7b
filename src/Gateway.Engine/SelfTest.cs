using Gateway.Engine.Chdb;

namespace Gateway.Engine;

/// <summary>Shows that null references are caught as usual in a process that connects to libchdb.</summary>
internal static class SelfTest
{
    /// <returns>How many exceptions were caught.</returns>
    public static async Task<long> RunAsync(ChdbEngine engine, int connects)
    {
        using var enough = new CancellationTokenSource();
        var dereferencing = Task.Factory.StartNew(
            () => Dereference(enough.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        for (int i = 0; i < connects; i++)
        {
            string id = $"self-test {i}";
            await using var session = await engine.BeginAsync(id, isInsert: false, CancellationToken.None);
            await session.PrepareAsync(["SELECT 1"]);
        }

        await enough.CancelAsync();
        return await dereferencing + Dereference(enough.Token);
    }

    /// <summary>At least once, then until told to stop.</summary>
    private static long Dereference(CancellationToken enough)
    {
        long caught = 0;
        string? nothing = null;
        do
        {
            try
            {
                caught += nothing!.Length;
            }
            catch (NullReferenceException)
            {
                caught++;
            }
        }
        while (!enough.IsCancellationRequested);

        return caught;
    }
}
