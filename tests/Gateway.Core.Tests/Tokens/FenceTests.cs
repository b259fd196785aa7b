using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class FenceTests : IAsyncLifetime
{
    private static readonly TokenFormat Format = new(new byte[TokenFormat.SecretBytes]);

    private readonly FakeControlDatabase _database = new();
    private readonly FenceParts _parts;
    private readonly byte[] _token = Encoding.ASCII.GetBytes(Format.NewProjectToken());

    public FenceTests() => _parts = _database.Build(Format);

    public async Task InitializeAsync()
    {
        _database.Change(Live(_token));
        _database.PutInForce();
        await _parts.Follower.ReloadAsync(default);
    }

    public Task DisposeAsync()
    {
        _parts.Follower.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Nothing_moved_is_the_same_and_reads_nothing()
    {
        var lookup = await ResolveAsync();
        int reads = _database.Reads;

        var answer = await AskAsync(lookup);
        Assert.Equal((FenceVerdict.Same, _database.Recorded.Epoch), (answer.Verdict, answer.Epoch));
        Assert.Equal(lookup.Version, answer.Version);
        Assert.Equal(reads, _database.Reads);
        Assert.True(lookup.Entry!.IsCurrent);
    }

    [Fact]
    public async Task Asking_allocates_nothing_when_nothing_moved()
    {
        var lookup = await ResolveAsync();
        await AskAsync(lookup);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            var answer = await _parts.Fence.AskAsync(lookup.Version, CancellationToken.None);
            if (answer.Verdict != FenceVerdict.Same) throw new InvalidOperationException();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task Asked_after_a_revocation_the_entry_has_ended()
    {
        var lookup = await ResolveAsync();
        var stamp = Revoke();
        _database.PutInForce();

        Assert.Equal((FenceVerdict.Moved, stamp.Epoch), await ShowAsync(lookup));
        Assert.False(lookup.Entry!.IsCurrent);
        Assert.Equal(TokenState.Unknown, (await ResolveAsync()).State);
    }

    [Fact]
    public async Task Asked_before_the_revocation_is_in_force_the_look_up_still_holds()
    {
        var lookup = await ResolveAsync();
        Revoke();

        Assert.Equal(FenceVerdict.Same, (await AskAsync(lookup)).Verdict);
    }

    [Fact]
    public async Task A_change_of_another_token_leaves_the_entry_as_it_is()
    {
        var lookup = await ResolveAsync();
        _database.Change(Live(Encoding.ASCII.GetBytes(Format.NewProjectToken())));
        _database.PutInForce();

        Assert.Equal(FenceVerdict.Moved, (await AskAsync(lookup)).Verdict);
        Assert.True(lookup.Entry!.IsCurrent);
    }

    [Fact]
    public async Task A_table_that_is_ahead_of_the_authority_is_vouched_for_by_the_database()
    {
        await ResolveAsync();
        var stamp = Revoke();
        await _parts.Follower.CatchUpAsync(stamp, default);
        var refused = await ResolveAsync();

        Assert.Equal(TokenState.Unknown, refused.State);
        Assert.Equal((FenceVerdict.Same, stamp.Epoch), await ShowAsync(refused));

        // And the authority is told, so that the next one asks nobody else.
        int reads = _database.Reads;
        await AskAsync(refused);
        Assert.Equal(reads, _database.Reads);
    }

    [Fact]
    public async Task A_gap_in_the_log_loads_everything_anew()
    {
        byte[] imported = "imported"u8.ToArray();
        var lookup = await ResolveAsync();
        Revoke();
        _database.Change(new TokenRow(7, 7, imported, IsImported: true, IsLive: true));
        _database.ForgetLog();
        _database.PutInForce();

        Assert.Equal(FenceVerdict.Moved, (await AskAsync(lookup)).Verdict);
        Assert.False(lookup.Entry!.IsCurrent);
        Assert.True(_parts.Tokens.TryCheck(imported, out var found));
        Assert.Equal(7ul, found.Entry!.ProjectId);
        Assert.Equal(TokenState.Unknown, (await ResolveAsync()).State);
    }

    [Fact]
    public async Task Without_the_authority_the_database_is_the_fence()
    {
        var lookup = await ResolveAsync();
        _database.AuthorityIsDown = true;
        Assert.Equal(FenceVerdict.Same, (await AskAsync(lookup)).Verdict);

        Revoke();
        Assert.Equal(FenceVerdict.Moved, (await AskAsync(lookup)).Verdict);
        Assert.False(lookup.Entry!.IsCurrent);
    }

    [Fact]
    public async Task Nobody_to_ask_is_unavailable_until_somebody_answers()
    {
        var lookup = await ResolveAsync();
        _database.AuthorityIsDown = true;
        _database.IsDown = true;
        Assert.Equal(FenceVerdict.Unavailable, (await AskAsync(lookup)).Verdict);
        Assert.False(_parts.Fence.IsAvailable);

        _database.IsDown = false;
        Assert.Equal(FenceVerdict.Same, (await AskAsync(lookup)).Verdict);
        Assert.True(_parts.Fence.IsAvailable);
    }

    [Fact]
    public async Task A_change_in_force_that_cannot_be_read_is_unavailable()
    {
        var lookup = await ResolveAsync();
        Revoke();
        _database.PutInForce();
        _database.IsDown = true;

        Assert.Equal(FenceVerdict.Unavailable, (await AskAsync(lookup)).Verdict);
    }

    [Fact]
    public async Task A_database_that_is_behind_its_authority_vouches_for_nothing()
    {
        var lookup = await ResolveAsync();
        _database.PutInForce(new EpochStamp(99, 99));

        Assert.Equal(FenceVerdict.Unavailable, (await AskAsync(lookup)).Verdict);
    }

    [Fact]
    public async Task A_database_that_went_back_ends_every_look_up()
    {
        var first = _database.Recorded;
        Revoke();
        _database.Change(Live(_token));
        _database.PutInForce();
        await _parts.Follower.CatchUpAsync(_database.Recorded, default);
        var lookup = await ResolveAsync();
        _database.Restore(first);
        _database.PutInForce(first);

        Assert.Equal((FenceVerdict.Moved, 1L), await ShowAsync(lookup));
        Assert.False(lookup.Entry!.IsCurrent);
    }

    [Fact]
    public async Task A_database_that_went_back_and_came_further_on_another_line_ends_every_look_up()
    {
        var first = _database.Recorded;
        _database.Change(Live(Encoding.ASCII.GetBytes(Format.NewProjectToken())));
        _database.PutInForce();
        await _parts.Follower.CatchUpAsync(_database.Recorded, default);
        var lookup = await ResolveAsync();

        // Unseen by this gateway: back, the token revoked at a number that it knows, and on to higher ones.
        _database.Restore(first);
        Revoke();
        _database.Change(Live(Encoding.ASCII.GetBytes(Format.NewProjectToken())));
        _database.PutInForce();

        Assert.Equal(FenceVerdict.Moved, (await AskAsync(lookup)).Verdict);
        Assert.False(lookup.Entry!.IsCurrent);
        Assert.Equal(TokenState.Unknown, (await ResolveAsync()).State);
    }

    [Fact]
    public async Task The_same_number_of_another_line_is_not_the_same()
    {
        _database.Change(Live(Encoding.ASCII.GetBytes(Format.NewProjectToken())));
        _database.PutInForce();
        await _parts.Follower.CatchUpAsync(_database.Recorded, default);
        var lookup = await ResolveAsync();

        _database.Restore(new EpochStamp(1, 1_001));
        Revoke();
        _database.PutInForce();

        Assert.Equal(2, _database.Recorded.Epoch);
        Assert.Equal(FenceVerdict.Moved, (await AskAsync(lookup)).Verdict);
        Assert.False(lookup.Entry!.IsCurrent);
    }

    [Fact]
    public async Task An_authority_that_shows_nothing_it_can_be_held_to_is_told_by_the_database()
    {
        var lookup = await ResolveAsync();
        _database.PutInForce(null);

        Assert.Equal(FenceVerdict.Same, (await AskAsync(lookup)).Verdict);
        Assert.Equal(AuthorityKind.Database, _parts.Fence.LastAnswerBy);
        Assert.Equal(FenceVerdict.Same, (await AskAsync(lookup)).Verdict);
        Assert.Equal(AuthorityKind.Process, _parts.Fence.LastAnswerBy);
    }

    [Fact]
    public async Task Many_who_ask_at_once_share_one_catching_up()
    {
        var lookup = await ResolveAsync();
        Revoke();
        _database.PutInForce();
        int reads = _database.Reads;

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Task.Run(() => AskAsync(lookup).AsTask())));

        Assert.All(answers, answer => Assert.Equal(FenceVerdict.Moved, answer.Verdict));
        Assert.Equal(reads + 1, _database.Reads);
    }

    private static TokenRow Live(byte[] token) => new(1, 1, token, IsImported: false, IsLive: true);

    private EpochStamp Revoke() => _database.Change(Live(_token) with { IsLive = false });

    private ValueTask<TokenLookup> ResolveAsync() => _parts.Tokens.ResolveAsync(_token, default);

    private async Task<(FenceVerdict, long)> ShowAsync(TokenLookup lookup)
    {
        var answer = await AskAsync(lookup);
        return (answer.Verdict, answer.Epoch);
    }

    private ValueTask<FenceAnswer> AskAsync(TokenLookup lookup) => _parts.Fence.AskAsync(lookup.Version, default);
}
