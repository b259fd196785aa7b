using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class TokenCheckTests : IAsyncLifetime
{
    private static readonly TokenFormat Format = new(new byte[TokenFormat.SecretBytes]);

    private readonly FakeControlDatabase _database = new();
    private readonly FenceParts _parts;
    private readonly byte[] _token = Encoding.ASCII.GetBytes(Format.NewProjectToken());

    public TokenCheckTests() => _parts = _database.Build(Format);

    public async Task InitializeAsync()
    {
        _database.Change(Row(1, _token));
        _database.PutInForce();
        await _parts.Follower.ReloadAsync(default);
    }

    public Task DisposeAsync()
    {
        _parts.Follower.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_token_is_read_once_and_then_known()
    {
        Assert.False(_parts.Tokens.TryCheck(_token, out _));
        var resolved = await _parts.Tokens.ResolveAsync(_token, default);

        Assert.True(_parts.Tokens.TryCheck(_token, out var found));
        Assert.Equal(resolved, found);
        Assert.Equal((TokenState.Live, 1ul), (found.State, found.Entry!.ProjectId));
        Assert.Equal(1, _parts.Tokens.DatabaseReads);
    }

    [Fact]
    public async Task Many_who_ask_for_one_token_share_one_read()
    {
        var gate = new TaskCompletionSource();
        _database.AfterFind = () => gate.Task;

        var asking = Enumerable.Range(0, 50)
            .Select(_ => _parts.Tokens.ResolveAsync(_token, default).AsTask()).ToList();
        gate.SetResult();
        var lookups = await Task.WhenAll(asking);

        Assert.Equal(1, _parts.Tokens.DatabaseReads);
        Assert.All(lookups, lookup => Assert.Same(lookups[0].Entry, lookup.Entry));
    }

    [Fact]
    public async Task One_who_gives_up_does_not_take_the_answer_from_the_others()
    {
        var gate = new TaskCompletionSource();
        _database.AfterFind = () => gate.Task;
        using var gone = new CancellationTokenSource();
        var first = _parts.Tokens.ResolveAsync(_token, gone.Token).AsTask();
        var second = _parts.Tokens.ResolveAsync(_token, default).AsTask();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();

        Assert.Equal(TokenState.Live, (await second).State);
    }

    [Fact]
    public async Task A_typo_and_a_foreign_token_are_told_without_a_look_up()
    {
        byte[] typo = [.. _token];
        typo[20] = typo[20] == (byte)'a' ? (byte)'b' : (byte)'a';

        Assert.True(_parts.Tokens.TryCheck(typo, out var mistyped));
        Assert.Equal(TokenState.Mistyped, mistyped.State);
        Assert.True(_parts.Tokens.TryCheck("somebody-elses"u8, out var foreign));
        Assert.Equal(TokenState.Unknown, foreign.State);
        Assert.Equal(TokenState.Mistyped, (await _parts.Tokens.ResolveAsync(typo, default)).State);
        Assert.Equal(0, _parts.Tokens.DatabaseReads);
    }

    [Fact]
    public async Task A_flood_of_random_tokens_asks_nobody_and_pushes_no_good_one_out()
    {
        var cache = new CountingCache();
        var parts = _database.Build(Format, cache);
        using var follower = parts.Follower;
        await follower.ReloadAsync(default);
        Assert.Equal(TokenState.Live, (await parts.Tokens.ResolveAsync(_token, default)).State);
        var (reads, asked, held) = (parts.Tokens.DatabaseReads, cache.Asked, parts.Tokens.Count);

        for (int i = 0; i < 20_000; i++)
        {
            // Of our shape in one half, and of all lengths in the other.
            byte[] random = Encoding.ASCII.GetBytes(RandomNumberGenerator.GetString(
                "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", i % 2 == 0 ? 49 : 1 + (i % 64)));
            byte[] token = i % 2 == 0 ? [.. "phc_"u8, .. random] : random;
            Assert.True(parts.Tokens.TryCheck(token, out var lookup));
            Assert.Null(lookup.Entry);
        }

        Assert.True(parts.Tokens.TryCheck(_token, out var good));
        Assert.Equal(TokenState.Live, good.State);
        Assert.Equal((reads, asked, held), (parts.Tokens.DatabaseReads, cache.Asked, parts.Tokens.Count));
    }

    [Fact]
    public async Task An_unknown_token_is_asked_for_once()
    {
        byte[] unknown = Encoding.ASCII.GetBytes(Format.NewProjectToken());
        Assert.Equal(TokenState.Unknown, (await _parts.Tokens.ResolveAsync(unknown, default)).State);

        Assert.True(_parts.Tokens.TryCheck(unknown, out var lookup));
        Assert.Equal(TokenState.Unknown, lookup.State);
        Assert.Equal(1, _parts.Tokens.DatabaseReads);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_was_refused_and_is_then_created_is_found_by_the_next_request(bool imported)
    {
        byte[] fresh = imported ? "imported"u8.ToArray() : Encoding.ASCII.GetBytes(Format.NewProjectToken());
        var refused = await _parts.Tokens.ResolveAsync(fresh, default);
        Assert.Equal(TokenState.Unknown, refused.State);

        _database.Change(Row(2, fresh) with { IsImported = imported });
        _database.PutInForce();

        // The refusal of the next request is fenced like everything else: it moved, so it looks again.
        _parts.Tokens.TryCheck(fresh, out var stale);
        Assert.Equal(FenceVerdict.Moved, (await _parts.Fence.AskAsync(stale.Version, default)).Verdict);
        Assert.Equal(TokenState.Live, (await _parts.Tokens.ResolveAsync(fresh, default)).State);
    }

    [Fact]
    public async Task A_token_revoked_while_it_is_being_read_is_not_taken_in_as_live()
    {
        _database.AfterFind = async () =>
        {
            _database.AfterFind = null;
            var stamp = _database.Change(Row(1, _token) with { IsLive = false });
            _database.PutInForce();
            await _parts.Follower.CatchUpAsync(stamp, default);
        };

        var lookup = await _parts.Tokens.ResolveAsync(_token, default);

        Assert.Equal(TokenState.Unknown, lookup.State);
        Assert.Equal(_parts.Table.Snapshot.Version, lookup.Version);
        Assert.Equal(2, _parts.Tokens.DatabaseReads);
    }

    [Fact]
    public async Task A_token_created_while_it_is_being_read_is_not_remembered_as_unknown()
    {
        long before = _parts.Table.Snapshot.Version;
        byte[] fresh = Encoding.ASCII.GetBytes(Format.NewProjectToken());
        _database.AfterFind = async () =>
        {
            _database.AfterFind = null;
            await _parts.Follower.CatchUpAsync(_database.Change(Row(2, fresh)), default);
        };

        // Read before it was there, and said so: the fence sends whoever was told round again.
        var refused = await _parts.Tokens.ResolveAsync(fresh, default);
        Assert.Equal((TokenState.Unknown, before), (refused.State, refused.Version));
        _database.PutInForce();
        Assert.Equal(FenceVerdict.Moved, (await _parts.Fence.AskAsync(refused.Version, default)).Verdict);
        Assert.Equal(TokenState.Live, (await _parts.Tokens.ResolveAsync(fresh, default)).State);
    }

    [Fact]
    public async Task That_nobody_has_a_token_is_told_also_while_others_change_all_the_time()
    {
        byte[] unknown = Encoding.ASCII.GetBytes(Format.NewProjectToken());
        long before = _parts.Table.Snapshot.Version;
        _database.AfterFind = async () =>
            await _parts.Follower.CatchUpAsync(
                _database.Change(Row(2, Encoding.ASCII.GetBytes(Format.NewProjectToken()))), default);

        var lookup = await _parts.Tokens.ResolveAsync(unknown, default);

        // As of before the change, so that a fence that shows it sends the request round again.
        Assert.Equal((TokenState.Unknown, before), (lookup.State, lookup.Version));
        Assert.Equal(1, _parts.Tokens.DatabaseReads);
    }

    [Fact]
    public async Task A_token_is_learned_although_others_changed_while_it_was_read()
    {
        _database.AfterFind = async () =>
            await _parts.Follower.CatchUpAsync(
                _database.Change(Row(2, Encoding.ASCII.GetBytes(Format.NewProjectToken()))), default);

        Assert.Equal(TokenState.Live, (await _parts.Tokens.ResolveAsync(_token, default)).State);
        Assert.Equal(1, _parts.Tokens.DatabaseReads);
    }

    [Fact]
    public async Task A_database_that_never_holds_still_is_unavailable_not_an_endless_loop()
    {
        _database.AfterFind = async () =>
        {
            await _parts.Follower.CatchUpAsync(_database.Change(Row(1, _token)), default);
        };

        Assert.Equal(TokenState.Unavailable, (await _parts.Tokens.ResolveAsync(_token, default)).State);
    }

    [Fact]
    public async Task Without_the_database_a_token_not_seen_before_is_unavailable_and_one_seen_is_found()
    {
        await _parts.Tokens.ResolveAsync(_token, default);
        _database.IsDown = true;
        byte[] other = Encoding.ASCII.GetBytes(Format.NewProjectToken());

        Assert.Equal(TokenState.Unavailable, (await _parts.Tokens.ResolveAsync(other, default)).State);
        Assert.True(_parts.Tokens.TryCheck(_token, out var found));
        Assert.Equal(TokenState.Live, found.State);

        _database.IsDown = false;
        Assert.Equal(TokenState.Unknown, (await _parts.Tokens.ResolveAsync(other, default)).State);
    }

    [Fact]
    public async Task Checking_allocates_nothing()
    {
        await _parts.Tokens.ResolveAsync(_token, default);
        byte[] typo = [.. _token];
        typo[20] = typo[20] == (byte)'a' ? (byte)'b' : (byte)'a';
        Check(_token, typo);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Check(_token, typo);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static TokenRow Row(long id, byte[] token) => new(id, (ulong)id, token, IsImported: false, IsLive: true);

    private void Check(byte[] token, byte[] typo)
    {
        _parts.Tokens.TryCheck(token, out _);
        _parts.Tokens.TryCheck(typo, out _);
        _parts.Tokens.TryCheck("foreign"u8, out _);
    }

    private sealed class CountingCache : ITokenCache
    {
        public int Asked { get; private set; }

        public ValueTask<TokenReading?> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
        {
            Asked++;
            return new ValueTask<TokenReading?>((TokenReading?)null);
        }

        public void Keep(in TokenReading reading)
        {
        }
    }
}
