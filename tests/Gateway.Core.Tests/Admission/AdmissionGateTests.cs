using Gateway.Core.Admission;

namespace Gateway.Core.Tests.Admission;

public sealed class AdmissionGateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_slot_that_is_given_back_lets_the_next_one_in()
    {
        var gate = Gate(slots: 1);
        Assert.True(gate.TryEnter());
        Assert.False(gate.TryEnter());
        var waiting = gate.EnterAsync(1, 1, default).AsTask();
        Assert.Equal((1, 1, false), (gate.Busy, gate.Waiting, waiting.IsCompleted));

        gate.Leave();
        Assert.Equal(AdmissionOutcome.Entered, await waiting.WaitAsync(Limit));
        Assert.Equal((1, 0), (gate.Busy, gate.Waiting));
        Assert.Equal(1, gate.Times.Buckets().Last().Count);

        gate.Leave();
        Assert.Equal(0, gate.Busy);
    }

    [Fact]
    public async Task Nobody_overtakes_those_who_wait()
    {
        var gate = Gate(slots: 1);
        Assert.True(gate.TryEnter());
        var first = gate.EnterAsync(1, 1, default).AsTask();
        var second = gate.EnterAsync(1, 1, default).AsTask();

        gate.Leave();
        await first.WaitAsync(Limit);
        Assert.False(gate.TryEnter());
        Assert.False(second.IsCompleted);

        gate.Leave();
        await second.WaitAsync(Limit);
        gate.Leave();
    }

    [Fact]
    public async Task No_slot_is_given_while_as_much_as_may_waits_for_the_disk()
    {
        var gate = Gate(slots: 2);
        gate.Write(AdmissionOptions.MaxUnwritten - 1);
        Assert.True(gate.TryEnter());
        gate.Leave();
        gate.Write(1000);
        Assert.False(gate.TryEnter());
        var first = gate.EnterAsync(1, 1, default).AsTask();
        var second = gate.EnterAsync(1, 1, default).AsTask();
        Assert.Equal((0, 2, AdmissionOptions.MaxUnwritten + 999), (gate.Busy, gate.Waiting, gate.UnwrittenBytes));

        // Too little to make a difference, and then enough for both.
        gate.Written(999);
        Assert.Equal((0, 2), (gate.Busy, gate.Waiting));
        gate.Written(1);
        await Task.WhenAll(first, second).WaitAsync(Limit);
        Assert.Equal((2, 0), (gate.Busy, gate.Waiting));
    }

    [Fact]
    public async Task A_slot_goes_to_the_project_that_has_not_been_served()
    {
        Assert.Equal([2ul, 1, 1, 1], await OrderAsync(isFair: true));
    }

    [Fact]
    public async Task Without_fair_share_the_first_that_came_is_the_first_served()
    {
        Assert.Equal([1ul, 1, 1, 2], await OrderAsync(isFair: false));
    }

    [Fact]
    public async Task A_client_that_goes_gives_its_place_up()
    {
        var gate = Gate(slots: 1, maxWaiting: 2);
        Assert.True(gate.TryEnter());
        using var client = new CancellationTokenSource();
        var gone = gate.EnterAsync(1, 1, client.Token).AsTask();
        Assert.Equal(AdmissionOutcome.Overloaded, await gate.EnterAsync(1, 1, default));

        await client.CancelAsync();
        Assert.Equal(AdmissionOutcome.Cancelled, await gone.WaitAsync(Limit));
        Assert.Equal((0, 1, 1), (gate.Waiting, gate.Refused, gate.Cancelled));

        var next = gate.EnterAsync(1, 1, default).AsTask();
        gate.Leave();
        Assert.Equal(AdmissionOutcome.Entered, await next.WaitAsync(Limit));
        gate.Leave();
        Assert.Equal(0, gate.Busy);
    }

    [Fact]
    public async Task A_client_that_was_gone_before_does_not_wait()
    {
        var gate = Gate(slots: 1);
        Assert.True(gate.TryEnter());

        var outcome = await gate.EnterAsync(1, 1, new CancellationToken(canceled: true)).AsTask().WaitAsync(Limit);
        Assert.Equal((AdmissionOutcome.Cancelled, 0), (outcome, gate.Waiting));
    }

    [Fact]
    public async Task One_project_may_not_fill_the_whole_line()
    {
        var gate = Gate(slots: 1, maxWaiting: 4);
        Assert.True(gate.TryEnter());
        _ = gate.EnterAsync(1, 1, default).AsTask();
        _ = gate.EnterAsync(1, 1, default).AsTask();

        Assert.Equal(AdmissionOutcome.Overloaded, await gate.EnterAsync(1, 1, default));
        Assert.False(gate.EnterAsync(2, 1, default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Under_a_storm_of_threads_and_cancellations_no_slot_is_lost_or_given_twice()
    {
        const int Slots = 3;
        var gate = Gate(Slots);
        int inside = 0;
        int most = 0;
        int cancelled = 0;
        await Parallel.ForAsync(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (worker, _) =>
        {
            var random = new Random(worker);
            for (int i = 0; i < 2000; i++)
            {
                using var client = new CancellationTokenSource();
                var entering = gate.EnterAsync((ulong)random.Next(5), random.Next(1, 50_000), client.Token).AsTask();
                if (random.Next(4) == 0) await client.CancelAsync();
                if (await entering != AdmissionOutcome.Entered)
                {
                    Interlocked.Increment(ref cancelled);
                    continue;
                }

                int now = Interlocked.Increment(ref inside);
                int seen = Volatile.Read(ref most);
                while (now > seen)
                {
                    int before = Interlocked.CompareExchange(ref most, now, seen);
                    if (before == seen) break;
                    seen = before;
                }

                if (random.Next(3) == 0) await Task.Yield();
                Interlocked.Decrement(ref inside);

                // Sometimes one that is more than may wait for the disk by itself.
                long unwritten = random.Next(8) == 0 ? AdmissionOptions.MaxUnwritten : random.Next(1000);
                gate.Leave((ulong)random.Next(5), random.Next(-100, 100));
                gate.Write(unwritten);
                if (random.Next(3) == 0) await Task.Yield();
                gate.Written(unwritten);
            }
        }).WaitAsync(Limit);

        Assert.InRange(most, 1, Slots);
        Assert.Equal((0, 0, (long)cancelled), (gate.Busy, gate.Waiting, gate.Cancelled));
        Assert.Equal(0, gate.UnwrittenBytes);
    }

    [Fact]
    public void To_enter_and_to_leave_a_free_gate_allocates_nothing()
    {
        var gate = Gate(slots: 1);
        Pass(gate, 10);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass(gate, 1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Pass(AdmissionGate gate, int times)
        {
            for (int i = 0; i < times; i++)
            {
#pragma warning disable CA2012 // It is completed, and nothing waits for it.
                if (!gate.EnterAsync(1, 100, default).IsCompletedSuccessfully) Assert.Fail("It is free.");
#pragma warning restore CA2012
                gate.Leave(1, 0);
                gate.Write(100);
                gate.Written(100);
            }
        }
    }

    [Fact]
    public void To_wait_allocates_nothing_once_others_have_waited()
    {
        using var client = new CancellationTokenSource();
        var gate = Gate(slots: 1);
        for (int i = 0; i < 200; i++) Pass(gate, client.Token);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++) Pass(gate, client.Token);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200 * 16);

        // Awaited by hand: a test's own state machine would be counted.
        static void Pass(AdmissionGate gate, CancellationToken client)
        {
            Assert.True(gate.TryEnter());
#pragma warning disable CA2012, xUnit1031 // It is consumed once, when it is completed.
            var waiting = gate.EnterAsync(1, 100, client);
            gate.Leave();
            var spinner = default(SpinWait);
            while (!waiting.IsCompleted) spinner.SpinOnce();
            if (waiting.GetAwaiter().GetResult() != AdmissionOutcome.Entered) Assert.Fail("It was let in.");
#pragma warning restore CA2012, xUnit1031
            gate.Leave();
        }
    }

    /// <summary>The projects in the order in which they come in, of three requests of one and then one of another.</summary>
    private static async Task<List<ulong>> OrderAsync(bool isFair)
    {
        var gate = Gate(slots: 1, isFair: isFair);
        Assert.True(gate.TryEnter());
        const long Large = 100_000;
        (ulong Key, long Cost)[] requests = [(1, Large), (1, Large), (1, Large), (2, 100)];
        var order = new List<ulong>();
        var all = requests.Select(async request =>
        {
            var entering = gate.EnterAsync(request.Key, request.Cost, default);
            Assert.Equal(AdmissionOutcome.Entered, await entering);
            order.Add(request.Key);
            gate.Leave();
        }).ToList();

        gate.Leave();
        await Task.WhenAll(all).WaitAsync(Limit);
        return order;
    }

    private static AdmissionGate Gate(int slots, int maxWaiting = 1000, bool isFair = true) =>
        new(new AdmissionOptions(slots, maxWaiting) { IsFair = isFair }, TimeProvider.System);
}
