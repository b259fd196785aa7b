using System.Data.Common;
using System.Text;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class ResetTokenOnSqliteTests() : ResetTokenTests(onPostgres: false);

public sealed class ResetTokenOnPostgresTests() : ResetTokenTests(onPostgres: true);

public abstract class ResetTokenTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    [Theory]
    [InlineData(null)]
    [InlineData("imported-token")]
    public async Task The_old_token_is_dead_and_the_new_one_lives_when_the_call_returns(string? given)
    {
        await using var plane = await OpenAsync(given);
        byte[] old = await CurrentTokenAsync(plane);
        var before = await plane.Tokens.ResolveAsync(old, default);

        var reset = await ResetAsync(plane, GivenKey);

        // A group that held the old token closes and asks: its entry has ended.
        var fence = await plane.Fence.AskAsync(before.Version, default);
        Assert.Equal((FenceVerdict.Moved, reset.Value.Epoch), (fence.Verdict, fence.Epoch));
        Assert.False(before.Entry!.IsCurrent);
        Assert.Equal(TokenState.Unknown, (await plane.Tokens.ResolveAsync(old, default)).State);

        byte[] fresh = Encoding.ASCII.GetBytes(reset.Value.Token);
        var after = await plane.Tokens.ResolveAsync(fresh, default);
        Assert.Equal((TokenState.Live, before.Entry.ProjectId), (after.State, after.Entry!.ProjectId));
        Assert.Equal(Time.Now, reset.Value.RevokedAt);
        Assert.Equal(FenceVerdict.Same, (await plane.Fence.AskAsync(after.Version, default)).Verdict);
    }

    [Fact]
    public async Task A_look_up_before_the_fence_was_asked_does_not_save_the_old_token()
    {
        await using var plane = await OpenAsync();
        byte[] old = await CurrentTokenAsync(plane);
        await plane.Tokens.ResolveAsync(old, default);
        await ResetAsync(plane, GivenKey);

        // The request came in after the call returned, and the table has not heard of the change yet.
        if (plane.Tokens.TryCheck(old, out var lookup) && lookup.State == TokenState.Live)
        {
            Assert.Equal(FenceVerdict.Moved, (await plane.Fence.AskAsync(lookup.Version, default)).Verdict);
            Assert.False(lookup.Entry!.IsCurrent);
        }

        Assert.Equal(TokenState.Unknown, (await plane.Tokens.ResolveAsync(old, default)).State);
    }

    [Fact]
    public async Task Epochs_only_rise_and_each_is_in_the_log()
    {
        await using var plane = await OpenAsync();
        long last = Sql("SELECT value FROM epoch");
        for (int i = 0; i < 5; i++)
        {
            var reset = await ResetAsync(plane, GivenKey);
            Assert.Equal(last + 1, reset.Value.Epoch);
            last = reset.Value.Epoch;
        }

        Assert.Equal(last, Sql("SELECT COUNT(DISTINCT epoch) FROM change_log"));
    }

    [Fact]
    public async Task Of_two_at_once_the_losers_token_is_dead_too()
    {
        await using var plane = await OpenAsync();

        var resets = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => Task.Run(() => ResetAsync(plane, GivenKey))));

        var last = resets.MaxBy(reset => reset.Value.Epoch);
        Assert.Equal(8, resets.DistinctBy(reset => reset.Value.Epoch).Count());
        foreach (var reset in resets)
        {
            byte[] token = Encoding.ASCII.GetBytes(reset.Value.Token);
            await plane.Fence.AskAsync(0, default);
            var state = (await plane.Tokens.ResolveAsync(token, default)).State;
            Assert.Equal(reset.Value.Epoch == last.Value.Epoch ? TokenState.Live : TokenState.Unknown, state);
        }

        Assert.Equal(1, Sql("SELECT COUNT(*) FROM project_tokens WHERE revoked_at IS NULL"));
    }

    [Fact]
    public async Task A_process_that_dies_before_the_change_is_in_force_finds_it_in_force_when_it_starts()
    {
        byte[] old;
        await using (var dying = await OpenAsync(stamp => new LostAuthority(stamp)))
        {
            old = await CurrentTokenAsync(dying);
            await dying.Tokens.ResolveAsync(old, default);
            await Assert.ThrowsAsync<NotInForceException>(() => ResetAsync(dying, GivenKey));

            // Not reported as done, and not in force.
            Assert.Equal(TokenState.Live, (await dying.Tokens.ResolveAsync(old, default)).State);
        }

        await using var next = await OpenAsync();
        Assert.Equal(TokenState.Unknown, (await next.Tokens.ResolveAsync(old, default)).State);
        byte[] fresh = await CurrentTokenAsync(next);
        var lookup = await next.Tokens.ResolveAsync(fresh, default);
        Assert.Equal(TokenState.Live, lookup.State);
        Assert.Equal(FenceVerdict.Same, (await next.Fence.AskAsync(lookup.Version, default)).Verdict);
    }

    [Fact]
    public async Task A_caller_who_goes_away_after_the_commit_does_not_keep_it_from_coming_into_force()
    {
        using var caller = new CancellationTokenSource();
        await using var plane = await OpenAsync(stamp => new AuthorityThatLosesTheCaller(stamp, caller));
        var before = await plane.Tokens.ResolveAsync(await CurrentTokenAsync(plane), default);

        await ResetAsync(plane, GivenKey, cancellationToken: caller.Token);

        Assert.True(caller.IsCancellationRequested);
        Assert.Equal(FenceVerdict.Moved, (await plane.Fence.AskAsync(before.Version, default)).Verdict);
        Assert.False(before.Entry!.IsCurrent);
    }

    [Fact]
    public async Task A_token_text_is_never_accepted_for_another_project()
    {
        await using var plane = await OpenAsync(token: "first");
        await ResetAsync(plane, GivenKey);
        long other = Sql(
            """
            INSERT INTO projects (id, uuid, organization_id, name, created_at)
            VALUES (2, 'x', 1, 'Other', 0) RETURNING id
            """);

        var refused = Assert.ThrowsAny<DbException>(() => Sql(
            $"INSERT INTO project_tokens (project_id, token, imported, created_at) VALUES ({other}, 'first', 1, 0)"));
        Assert.Contains("UNIQUE", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_table_behind_the_tail_of_the_log_is_loaded_anew()
    {
        await using var plane = await OpenAsync(token: "imported-token");
        plane.Tokens.TryCheck("imported-token"u8, out var before);
        await ResetAsync(plane, GivenKey);
        Sql("DELETE FROM change_log");

        Assert.Equal(FenceVerdict.Moved, (await plane.Fence.AskAsync(before.Version, default)).Verdict);
        Assert.False(before.Entry!.IsCurrent);
        Assert.True(plane.Tokens.TryCheck("imported-token"u8, out var after));
        Assert.Equal(TokenState.Unknown, after.State);
    }

    [Fact]
    public async Task A_flood_of_random_tokens_reads_nothing_and_evicts_nothing()
    {
        await using var plane = await OpenAsync();
        byte[] token = await CurrentTokenAsync(plane);
        var entry = (await plane.Tokens.ResolveAsync(token, default)).Entry;
        long reads = plane.Tokens.DatabaseReads;
        var stranger = new TokenFormat(new byte[TokenFormat.SecretBytes]);

        for (int i = 0; i < 20_000; i++)
        {
            byte[] ours = Encoding.ASCII.GetBytes(stranger.NewProjectToken());
            Assert.Equal(TokenState.Mistyped, (await plane.Tokens.ResolveAsync(ours, default)).State);
            Assert.Equal(TokenState.Unknown, (await plane.Tokens.ResolveAsync(ours.AsMemory(4), default)).State);
        }

        Assert.Equal(reads, plane.Tokens.DatabaseReads);
        Assert.Equal(1, plane.Tokens.Count);
        Assert.True(plane.Tokens.TryCheck(token, out var found));
        Assert.Same(entry, found.Entry);
    }

    private static async Task<byte[]> CurrentTokenAsync(ControlPlane plane)
    {
        var access = await EnterAsync(plane, GivenKey, "@current", Scopes.ProjectRead);
        return Encoding.ASCII.GetBytes(access.Value.ApiToken!);
    }

    /// <summary>What a process that dies between the transaction and the authority leaves behind.</summary>
    private sealed class LostAuthority(EpochStamp stamp) : IEpochAuthority
    {
        public AuthorityKind Kind => AuthorityKind.Process;

        public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken) => new(stamp);

        public ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken) =>
            ValueTask.FromException(new TokenStoreException("The process died here."));
    }

    private sealed class AuthorityThatLosesTheCaller(EpochStamp stamp, CancellationTokenSource caller) : IEpochAuthority
    {
        private readonly ProcessAuthority _authority = new(stamp);

        public AuthorityKind Kind => AuthorityKind.Process;

        public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken) =>
            _authority.AskAsync(cancellationToken);

        public async ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken)
        {
            await caller.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            await _authority.RaiseAsync(stamp, cancellationToken);
        }
    }
}
