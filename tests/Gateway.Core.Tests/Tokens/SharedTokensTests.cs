using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

/// <summary>What another gateway read of a token is used only when it is known to hold still.</summary>
public sealed class SharedTokensTests : IAsyncLifetime
{
    private static readonly TokenFormat Format = new(new byte[TokenFormat.SecretBytes]);

    private readonly FakeControlDatabase _database = new();
    private readonly OneTokenCache _cache = new();
    private readonly FenceParts _parts;
    private readonly byte[] _token = Encoding.ASCII.GetBytes(Format.NewProjectToken());

    public SharedTokensTests() => _parts = _database.Build(Format, _cache);

    public async Task InitializeAsync()
    {
        _database.Change(Row(1));
        _database.PutInForce();
        await _parts.Follower.ReloadAsync(default);
    }

    public Task DisposeAsync()
    {
        _parts.Follower.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task What_was_read_is_kept_for_the_others_and_what_is_nobodys_is_not()
    {
        await _parts.Tokens.ResolveAsync(Encoding.ASCII.GetBytes(Format.NewProjectToken()), default);
        Assert.Null(_cache.Kept);

        await _parts.Tokens.ResolveAsync(_token, default);
        Assert.Equal(new TokenReading(Row(1), _database.Recorded).Stamp, _cache.Kept!.Value.Stamp);
        Assert.Equal(1, _cache.Kept.Value.Row!.Id);
    }

    [Fact]
    public async Task What_is_kept_at_the_present_stamp_spares_the_database()
    {
        _cache.Kept = new TokenReading(Row(1), _database.Recorded);
        int reads = _database.Reads;

        var lookup = await _parts.Tokens.ResolveAsync(_token, default);

        Assert.Equal((TokenState.Live, 1ul), (lookup.State, lookup.Entry!.ProjectId));
        Assert.Equal(reads, _database.Reads);
        Assert.Equal((1, 0, 0), (_parts.Tokens.CacheHits, _parts.Tokens.CacheMisses, _parts.Tokens.DatabaseReads));
    }

    [Fact]
    public async Task What_is_kept_at_an_older_stamp_is_used_while_nothing_touched_the_token()
    {
        _cache.Kept = new TokenReading(Row(1), _database.Recorded);
        await ChangeAsync(Row(2) with { Token = "another"u8.ToArray() });
        int reads = _database.Reads;

        Assert.Equal(TokenState.Live, (await _parts.Tokens.ResolveAsync(_token, default)).State);
        Assert.Equal(reads, _database.Reads);
    }

    [Fact]
    public async Task What_is_kept_of_a_token_that_was_revoked_since_brings_nothing_back()
    {
        _cache.Kept = new TokenReading(Row(1), _database.Recorded);
        await ChangeAsync(Row(1) with { IsLive = false });

        Assert.Equal(TokenState.Unknown, (await _parts.Tokens.ResolveAsync(_token, default)).State);
        Assert.Equal((0, 1), (_parts.Tokens.CacheHits, _parts.Tokens.CacheMisses));
    }

    [Fact]
    public async Task What_is_kept_from_before_a_restart_is_used_by_the_end_of_the_log()
    {
        _cache.Kept = new TokenReading(Row(1), _database.Recorded);
        _database.Change(Row(2) with { Token = "another"u8.ToArray() });
        var again = _database.Build(Format, _cache);
        await again.Follower.ReloadAsync(default);
        int reads = _database.Reads;

        Assert.Equal(TokenState.Live, (await again.Tokens.ResolveAsync(_token, default)).State);
        Assert.Equal(reads, _database.Reads);
        again.Follower.Dispose();
    }

    [Fact]
    public async Task What_is_kept_from_a_line_that_was_lost_is_not_used()
    {
        var first = _database.Recorded;
        var lost = await ChangeAsync(Row(2) with { Token = "another"u8.ToArray() });
        _database.Restore(first);
        await ChangeAsync(Row(1) with { IsLive = false });
        _cache.Kept = new TokenReading(Row(1), lost);

        Assert.Equal(lost.Epoch, _database.Recorded.Epoch);
        Assert.Equal(TokenState.Unknown, (await _parts.Tokens.ResolveAsync(_token, default)).State);
    }

    [Fact]
    public async Task What_is_newer_than_the_table_is_read_from_the_database()
    {
        var next = _database.Change(Row(1));
        _cache.Kept = new TokenReading(Row(1) with { ProjectId = 99 }, next with { Epoch = next.Epoch + 5 });

        var lookup = await _parts.Tokens.ResolveAsync(_token, default);

        Assert.Equal(1ul, lookup.Entry!.ProjectId);
        Assert.Equal(1, _parts.Tokens.DatabaseReads);
    }

    private TokenRow Row(long id) => new(id, (ulong)id, _token, IsImported: false, IsLive: true);

    private async Task<EpochStamp> ChangeAsync(TokenRow row)
    {
        var stamp = _database.Change(row);
        _database.PutInForce();
        await _parts.Follower.FollowAsync(stamp, default);
        return stamp;
    }

    private sealed class OneTokenCache : ITokenCache
    {
        public TokenReading? Kept { get; set; }

        public ValueTask<TokenReading?> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken) =>
            new(Kept is { Row: { } row } && token.Span.SequenceEqual(row.Token) ? Kept : null);

        public void Keep(in TokenReading reading) => Kept = reading;
    }
}
