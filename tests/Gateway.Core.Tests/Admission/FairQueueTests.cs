using Gateway.Core.Admission;

namespace Gateway.Core.Tests.Admission;

public sealed class FairQueueTests
{
    private const int Quantum = 100;
    private const int Seeds = 300;

    private sealed class Request(int number) : FairItem
    {
        public int Number => number;
    }

    [Fact]
    public void Small_schedules_of_every_kind_lose_nothing_and_keep_each_projects_order()
    {
        // Six steps, each one of: two projects' small and large requests, a take, the end of the newest wait.
        const int Steps = 6;
        const int Kinds = 6;
        for (int schedule = 0; schedule < (int)Math.Pow(Kinds, Steps); schedule++)
        {
            var queue = new FairQueue(Quantum, 100, 100);
            var model = new Model(queue);
            for (int step = 0, rest = schedule; step < Steps; step++, rest /= Kinds)
            {
                switch (rest % Kinds)
                {
                    case < 4 and var kind:
                        model.Add((ulong)(kind % 2) + 1, kind < 2 ? 1 : (3 * Quantum) + 1);
                        break;
                    case 4:
                        model.Take();
                        break;
                    default:
                        model.RemoveNewest();
                        break;
                }
            }

            model.TakeAll();
        }
    }

    [Fact]
    public void Whatever_comes_and_goes_nothing_is_lost_and_each_projects_order_is_kept()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var model = new Model(new FairQueue(Quantum, 60, 30));
            for (int step = 0; step < 400; step++)
            {
                int what = random.Next(10);
                if (what < 5) model.Add((ulong)random.Next(1, 8), random.Next(1, 20 * Quantum));
                else if (what < 8) model.Take();
                else if (what < 9) model.RemoveNewest();
                else model.Queue.Charge((ulong)random.Next(1, 8), random.Next(1, 5 * Quantum));
            }

            model.TakeAll();
        }
    }

    [Fact]
    public void Projects_that_always_wait_get_the_same_bytes_whatever_their_requests_cost()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            int projects = random.Next(2, 6);
            long[] costs = [.. Enumerable.Range(0, projects).Select(_ => (long)random.Next(1, 30 * Quantum))];
            long[] served = new long[projects];
            var queue = new FairQueue(Quantum, 1000, 1000);
            for (int project = 0; project < projects; project++)
            {
                Add(queue, project, costs[project]);
                Add(queue, project, costs[project]);
            }

            for (int i = 0; i < 2000; i++)
            {
                var item = queue.Take()!;
                int project = (int)item.Key - 1;
                served[project] += item.Cost;
                Add(queue, project, costs[project]);
            }

            // What one is ahead of another is what a turn gives, a request that it had saved for, and another one
            // that was served while newcomers had their turn.
            Assert.InRange(served.Max() - served.Min(), 0, 3 * (Quantum + costs.Max()));
        }
    }

    [Fact]
    public void A_newcomer_waits_for_one_request_of_those_who_wait_already()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var queue = new FairQueue(Quantum, 10_000, 10_000);
            int projects = random.Next(1, 50);
            for (int i = 0; i < 20 * projects; i++) Add(queue, i % projects, random.Next(Quantum + 1, 40 * Quantum));
            for (int i = random.Next(19 * projects); i > 0; i--) Assert.NotNull(queue.Take());

            Add(queue, project: 900, random.Next(1, Quantum + 1));
            Assert.Equal(901ul, queue.Take()!.Key);
        }
    }

    [Fact]
    public void No_project_waits_longer_than_a_round_of_the_others_and_as_much_of_newcomers()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var queue = new FairQueue(Quantum, 100_000, 100_000);
            int projects = random.Next(2, 20);
            int most = random.Next(1, 20) * Quantum;
            for (int i = 0; i < 100 * projects; i++) Add(queue, i % projects, random.Next(1, most + 1));
            for (int i = random.Next(200); i > 0; i--) Assert.NotNull(queue.Take());

            // The last in line, with the largest request there is, beside a stream of newcomers.
            Add(queue, project: 900, most);
            long waited = 0;
            long rounds = (most / Quantum) + 1;
            ulong stranger = 10_000;
            while (queue.Take() is { } item && item.Key != 901)
            {
                waited += item.Cost;
                Add(queue, (int)stranger++, Quantum);
            }

            long ofOne = (rounds * Quantum) + most;
            Assert.InRange(waited, 0, 2 * ((projects + 1) * ofOne));
        }
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(100, 100)]
    [InlineData(100, 1)]
    public void Newcomers_without_end_and_the_others_have_half_each(int large, int small)
    {
        var queue = new FairQueue(Quantum, 10_000, 10_000);
        for (int i = 0; i < 2000; i++) Add(queue, project: 0, (i % 2 == 0 ? large : small) * Quantum);
        long old = 0;
        long all = 0;
        for (int i = 0; i < 4000; i++)
        {
            Add(queue, project: 10 + i, Quantum);
            var item = queue.Take()!;
            all += item.Cost;
            if (item.Key == 1) old += item.Cost;
        }

        Assert.InRange((double)old / all, 0.45, 0.6);
    }

    [Fact]
    public void To_come_anew_is_no_way_around_the_others()
    {
        // One sends its next request only when the last was served; the other has many waiting.
        var queue = new FairQueue(Quantum, 1000, 1000);
        for (int i = 0; i < 900; i++) Add(queue, project: 0, Quantum);
        long[] served = new long[2];
        bool waits = false;
        for (int i = 0; i < 800; i++)
        {
            if (!waits) Add(queue, project: 1, Quantum);
            ulong key = queue.Take()!.Key;
            waits = key != 2;
            served[key - 1]++;
        }

        Assert.InRange((double)served[1] / served[0], 0.7, 1.4);
    }

    [Fact]
    public void A_project_that_cost_more_than_it_seemed_to_makes_up_for_it()
    {
        var queue = new FairQueue(Quantum, 1000, 1000);
        for (int i = 0; i < 200; i++)
        {
            Add(queue, project: 0, Quantum);
            Add(queue, project: 1, Quantum);
        }

        int[] served = new int[2];
        for (int i = 0; i < 200; i++)
        {
            var item = queue.Take()!;
            served[item.Key - 1]++;
            if (item.Key == 1) queue.Charge(1, 4 * Quantum);
        }

        Assert.InRange((double)served[1] / served[0], 4, 6);
    }

    [Fact]
    public void What_newcomers_cost_more_than_they_seemed_to_the_others_have_too()
    {
        var queue = new FairQueue(Quantum, 10_000, 10_000);
        for (int i = 0; i < 4000; i++) Add(queue, project: 0, Quantum);
        long old = 0;
        long all = 0;
        for (int i = 0; i < 4000; i++)
        {
            Add(queue, project: 10 + i, 1);
            var item = queue.Take()!;
            bool isOld = item.Key == 1;
            if (!isOld) queue.Charge(item.Key, 4 * Quantum);
            all += isOld ? item.Cost : item.Cost + (4 * Quantum);
            if (isOld) old += item.Cost;
        }

        Assert.InRange((double)old / all, 0.45, 0.55);
    }

    [Fact]
    public void Who_has_nothing_waiting_makes_up_for_what_it_cost_too_much()
    {
        // It sends its next request when the last was served, and each is five times what it seemed.
        var queue = new FairQueue(Quantum, 10_000, 10_000);
        for (int i = 0; i < 4000; i++) Add(queue, project: 0, Quantum);
        long[] served = new long[2];
        bool waits = false;
        for (int i = 0; i < 3000; i++)
        {
            if (!waits) Add(queue, project: 1, Quantum);
            ulong key = queue.Take()!.Key;
            waits = key != 2;
            served[key - 1] += waits ? Quantum : 5 * Quantum;
            if (!waits) queue.Charge(2, 4 * Quantum);
        }

        Assert.InRange((double)served[1] / served[0], 0.7, 1.4);
    }

    [Fact]
    public void A_large_request_costs_no_more_turns_than_a_small_one()
    {
        var queue = new FairQueue(1, 1000, 1000);
        for (int project = 0; project < 500; project++) Add(queue, project, long.MaxValue / 4);

        for (int project = 0; project < 500; project++) Assert.NotNull(queue.Take());
        Assert.Null(queue.Take());
    }

    [Fact]
    public void No_more_wait_than_may_of_all_and_of_one()
    {
        var queue = new FairQueue(Quantum, maxItems: 5, maxItemsOfOne: 3);
        for (int i = 0; i < 3; i++) Assert.True(TryAdd(queue, 0, 1));
        Assert.False(TryAdd(queue, 0, 1));
        Assert.True(TryAdd(queue, 1, 1));
        Assert.True(TryAdd(queue, 2, 1));
        Assert.False(TryAdd(queue, 3, 1));
        Assert.Equal(5, queue.Count);

        Assert.NotNull(queue.Take());
        Assert.True(TryAdd(queue, 3, 1));
    }

    [Fact]
    public void Projects_that_are_gone_are_forgotten()
    {
        var queue = new FairQueue(Quantum, maxItems: 50, maxItemsOfOne: 50);
        for (int i = 0; i < 40; i++) Add(queue, project: 0, 1000 * Quantum);
        for (int i = 1; i < 10_000; i++)
        {
            Add(queue, i, Quantum);
            while (queue.Count > 40) Assert.NotNull(queue.Take());
            if (queue.Count < 40) Add(queue, project: 0, 1000 * Quantum);
        }

        Assert.InRange(queue.Projects, 1, 51);
        while (queue.Take() is not null) { }
        Assert.Equal(0, queue.Projects);
    }

    private static void Add(FairQueue queue, int project, long cost) => Assert.True(TryAdd(queue, project, cost));

    private static bool TryAdd(FairQueue queue, int project, long cost)
    {
        var item = new FairItem();
        item.Set((ulong)project + 1, cost);
        return queue.TryAdd(item);
    }

    /// <summary>What must come out, by project.</summary>
    private sealed class Model(FairQueue queue)
    {
        private readonly Dictionary<ulong, List<Request>> _waiting = [];
        private int _number;

        public FairQueue Queue => queue;

        private int Count => _waiting.Values.Sum(list => list.Count);

        public void Add(ulong key, long cost)
        {
            var request = new Request(_number++);
            request.Set(key, cost);
            if (!queue.TryAdd(request)) return;

            if (!_waiting.TryGetValue(key, out var list)) _waiting.Add(key, list = []);
            list.Add(request);
        }

        public void Take()
        {
            var item = (Request?)queue.Take();
            if (Count == 0)
            {
                Assert.Null(item);
                return;
            }

            Assert.Equal(_waiting[item!.Key][0].Number, item.Number);
            Assert.Null(item.Flow);
            _waiting[item.Key].RemoveAt(0);
        }

        public void RemoveNewest()
        {
            var newest = _waiting.Values.SelectMany(list => list).MaxBy(request => request.Number);
            if (newest is null) return;

            queue.Remove(newest);
            _waiting[newest.Key].Remove(newest);
        }

        public void TakeAll()
        {
            Assert.Equal(Count, queue.Count);
            while (Count > 0) Take();
            Assert.Null(queue.Take());
            Assert.Equal(0, queue.Count);
        }
    }
}
