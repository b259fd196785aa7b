using System.Globalization;
using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class TokenTableTests
{
    [Fact]
    public void A_learned_token_is_found_and_no_other()
    {
        var table = Loaded(new TokenTable());

        var learned = Learn(table, Row(1));

        Assert.True(table.TryFind(Text(1), out var found, out long version));
        Assert.Same(learned, found);
        Assert.Equal(table.Snapshot.Version, version);
        Assert.False(table.TryFind(Text(2), out _, out _));
        Assert.False(table.TryFind([], out _, out _));
    }

    [Fact]
    public void Tokens_that_differ_in_any_one_byte_are_kept_apart()
    {
        var table = Loaded(new TokenTable());
        for (int length = 1; length <= TokenFormat.MaxTokenBytes; length++)
        {
            byte[] token = [.. Enumerable.Repeat((byte)'a', length)];
            Learn(table, new TokenRow(length, 1, token, IsImported: true, IsLive: true));

            for (int place = 0; place < length; place++)
            {
                byte[] other = [.. token];
                other[place] = (byte)'b';
                Assert.False(table.TryFind(other, out _, out _));
            }
        }

        for (int length = 1; length <= TokenFormat.MaxTokenBytes; length++)
        {
            byte[] token = [.. Enumerable.Repeat((byte)'a', length)];
            Assert.True(table.TryFind(token, out var entry, out _));
            Assert.Equal(length, entry!.TokenId);
        }
    }

    [Fact]
    public void A_revoked_token_ends_and_is_gone()
    {
        var table = Loaded(new TokenTable());
        var entry = Learn(table, Row(1));

        Apply(table, [Row(1) with { IsLive = false }], 1);

        Assert.False(entry.IsCurrent);
        Assert.False(table.TryFind(Text(1), out _, out long version));
        Assert.Equal(table.Snapshot.Version, version);
        Assert.Equal(At(1), table.Snapshot.Stamp);
    }

    [Fact]
    public void A_changed_token_gets_a_new_entry_and_the_old_one_ends()
    {
        var table = Loaded(new TokenTable());
        var old = Learn(table, Row(1));

        Apply(table, [Row(1)], 1);

        Assert.True(table.TryFind(Text(1), out var now, out _));
        Assert.False(old.IsCurrent);
        Assert.True(now!.IsCurrent);
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void An_imported_token_is_there_as_soon_as_its_creation_is_applied()
    {
        var table = Loaded(new TokenTable());

        Apply(table, [Row(1) with { IsImported = true }], 1);

        Assert.True(table.TryFind(Text(1), out var entry, out _));
        Assert.Equal((At(1), true), (table.Snapshot.Stamp, entry!.IsImported));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void What_was_read_at_another_epoch_is_not_taken_in(long epoch)
    {
        var table = new TokenTable();
        Load(table, [], 5);

        Assert.False(table.TryLearn(Text(1), new TokenReading(Row(1), At(epoch)), out _, out _));
        Assert.False(table.TryLearn(Text(2), new TokenReading(null, At(epoch)), out _, out _));
        Assert.False(table.TryFind(Text(1), out _, out _));
        Assert.False(table.IsUnknown(Text(2)));
    }

    [Fact]
    public void An_unknown_token_is_remembered_until_a_change_touches_it()
    {
        var table = Loaded(new TokenTable());
        Assert.True(table.TryLearn(Text(1), new TokenReading(null, At(0)), out var none, out _));
        Assert.Null(none);
        Assert.True(table.IsUnknown(Text(1)));

        Apply(table, [Row(2)], 1);
        Assert.True(table.IsUnknown(Text(1)));

        Apply(table, [Row(1)], 2);
        Assert.False(table.IsUnknown(Text(1)));
    }

    [Fact]
    public void A_full_table_lets_go_of_learned_tokens_and_ends_them()
    {
        var table = new TokenTable(capacity: 100);
        Load(table, [.. Enumerable.Range(0, 50).Select(i => Row(i) with { IsImported = true })], 0);

        var learned = Enumerable.Range(50, 500).Select(i => Learn(table, Row(i))).ToList();

        Assert.Equal(100, table.Count);
        for (int i = 0; i < 50; i++) Assert.True(table.TryFind(Text(i), out _, out _));

        // Whoever holds an entry that the table let go of must not miss the change that would end it.
        Assert.All(learned, entry => Assert.Equal(entry.IsCurrent, table.TryFind(entry.Token, out _, out _)));
        Assert.Equal(50, learned.Count(entry => entry.IsCurrent));
    }

    [Fact]
    public void Tokens_that_come_and_go_do_not_fill_the_table_up()
    {
        var table = Loaded(new TokenTable());
        for (int i = 0; i < 20_000; i++)
        {
            Learn(table, Row(i), epoch: i);
            Apply(table, [Row(i) with { IsLive = false }], i + 1);
        }

        Assert.Equal(0, table.Count);
        Assert.False(table.TryFind(Text(1), out _, out _));
    }

    [Fact]
    public void Loading_anew_ends_what_was_there()
    {
        var table = Loaded(new TokenTable());
        var old = Learn(table, Row(1));
        table.TryLearn(Text(2), new TokenReading(null, At(0)), out _, out _);

        Load(table, [Row(3) with { IsImported = true }], 9);

        Assert.False(old.IsCurrent);
        Assert.False(table.TryFind(Text(1), out _, out _));
        Assert.False(table.IsUnknown(Text(2)));
        Assert.True(table.TryFind(Text(3), out _, out _));
        Assert.Equal(At(9), table.Snapshot.Stamp);
    }

    [Fact]
    public void Looking_up_allocates_nothing()
    {
        var table = Loaded(new TokenTable());
        Learn(table, Row(1));
        byte[] known = Text(1), unknown = Text(2);
        table.TryFind(known, out _, out _);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            table.TryFind(known, out _, out _);
            table.TryFind(unknown, out _, out _);
            table.IsUnknown(unknown);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>The promise itself: who sees the epoch of a change sees the change.</summary>
    [Fact]
    public async Task No_look_up_that_sees_the_epoch_of_a_revocation_finds_the_token()
    {
        const int Batch = 300, Rounds = 200;
        var table = Loaded(new TokenTable());

        // Batch b comes at epoch 2b + 1, is dead at 2b + 2, and never lives again.
        int current = 0;
        long wrong = 0, live = 0;
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 4).Select(seed => Task.Factory.StartNew(
            () =>
            {
                var random = new Random(seed);
                while (!stop.IsCancellationRequested)
                {
                    int batch = Volatile.Read(ref current);
                    byte[] text = Text((batch * Batch) + random.Next(Batch));
                    if (!table.TryFind(text, out _, out long version)) continue;

                    if (version - 1 >= (2 * batch) + 2) Interlocked.Increment(ref wrong);
                    Interlocked.Increment(ref live);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();

        for (int batch = 0; batch < Rounds; batch++)
        {
            Volatile.Write(ref current, batch);
            List<TokenRow> rows =
                [.. Enumerable.Range(batch * Batch, Batch).Select(i => Row(i) with { IsImported = true })];
            Apply(table, rows, (2 * batch) + 1);

            // Let the readers find it, so that its end is seen by somebody who is looking.
            long seen = Volatile.Read(ref live);
            SpinWait.SpinUntil(() => Volatile.Read(ref live) > seen + 2);
            Apply(table, [.. rows.Select(row => row with { IsLive = false })], (2 * batch) + 2);
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Equal(0, wrong);
    }

    internal static TokenTable Loaded(TokenTable table)
    {
        Load(table, [], 0);
        return table;
    }

    private static EpochStamp At(long epoch) => new(epoch, 1_000 + epoch);

    private static void Load(TokenTable table, IReadOnlyList<TokenRow> rows, long epoch) =>
        table.Load(new TokenChanges(rows, At(epoch), [], HasGap: false));

    private static void Apply(TokenTable table, IReadOnlyList<TokenRow> rows, long epoch) =>
        table.Apply(new TokenChanges(
            rows, At(epoch), [.. rows.Select(row => new LoggedChange(At(epoch), row.Id))], HasGap: false));

    internal static TokenEntry Learn(TokenTable table, TokenRow row, long epoch = 0)
    {
        Assert.True(table.TryLearn(row.Token, new TokenReading(row, At(epoch)), out var entry, out _));
        return entry!;
    }

    internal static TokenRow Row(int i) => new(i, (ulong)i, Text(i), IsImported: false, IsLive: true);

    private static byte[] Text(int i) =>
        Encoding.ASCII.GetBytes("phc_" + i.ToString("D49", CultureInfo.InvariantCulture));
}
