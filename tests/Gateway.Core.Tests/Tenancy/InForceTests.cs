using System.Text;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class InForceOnSqliteTests() : InForceTests(onPostgres: false);

public sealed class InForceOnPostgresTests() : InForceTests(onPostgres: true);

/// <summary>What is recorded while the fence's authority is away, and how it comes into force.</summary>
public abstract class InForceTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private AwayAuthority _authority = null!;

    [Fact]
    public async Task A_reset_that_is_not_in_force_names_both_tokens_and_is_completed_by_asking_again()
    {
        await using var plane = await OpenAwayAsync();
        string old = await TokenAsync(plane);
        _authority.IsAway = true;

        var waiting = await Assert.ThrowsAsync<NotInForceException>(() => ResetAsync(plane, GivenKey));
        var recorded = Assert.IsType<TokenReset>(waiting.Recorded);
        Assert.Equal(old, recorded.OldToken);
        Assert.Equal(recorded.Token, await TokenAsync(plane));
        Assert.Equal(Sql("SELECT value FROM epoch"), waiting.Epoch);

        // Again while it is away: the same change, and still not in force.
        var again = await Assert.ThrowsAsync<NotInForceException>(() => ResetAsync(plane, GivenKey));
        Assert.Equal(recorded.Token, Assert.IsType<TokenReset>(again.Recorded).Token);
        Assert.Equal(old, Assert.IsType<TokenReset>(again.Recorded).OldToken);
        Assert.Equal(waiting.Epoch, again.Epoch);

        _authority.IsAway = false;
        var done = await ResetAsync(plane, GivenKey);
        Assert.Equal((recorded.Token, waiting.Epoch), (done.Value.Token, done.Value.Epoch));
        Assert.Equal(TokenState.Unknown, await StateAsync(plane, old));

        // It was told to have succeeded: from here on, to ask is to ask for another one.
        Assert.NotEqual(done.Value.Token, (await ResetAsync(plane, GivenKey)).Value.Token);
        Assert.Equal(0, Sql("SELECT COUNT(*) FROM unanswered_resets"));
    }

    [Fact]
    public async Task Who_asks_with_a_new_idempotency_key_gets_a_new_token_instead()
    {
        await using var plane = await OpenAwayAsync();
        _authority.IsAway = true;
        var waiting = await Assert.ThrowsAsync<NotInForceException>(() => ResetAsync(plane, GivenKey));
        _authority.IsAway = false;

        var fresh = await plane.Projects.ResetTokenAsync(CallerOf(GivenKey), "@current", "a new request", default);

        string abandoned = Assert.IsType<TokenReset>(waiting.Recorded).Token;
        Assert.NotEqual(abandoned, fresh.Value.Token);
        Assert.Equal(TokenState.Unknown, await StateAsync(plane, abandoned));
    }

    [Fact]
    public async Task A_reset_whose_process_died_is_completed_by_whoever_asks_again_later_and_not_by_one_at_the_same_time()
    {
        await using var plane = await OpenAwayAsync();
        await ResetAsync(plane, GivenKey);
        string recorded = await TokenAsync(plane);

        // As a process leaves it that was killed before it could answer.
        Sql(
            """
            INSERT INTO unanswered_resets (user_id, project_id, token_id)
            SELECT u.id, p.id, t.id FROM users u, projects p, project_tokens t
            WHERE t.project_id = p.id AND t.revoked_at IS NULL
            """);
        string dead = recorded;
        var sameTime = await ResetAsync(plane, GivenKey);
        Assert.NotEqual(dead, sameTime.Value.Token);

        Sql(
            """
            INSERT INTO unanswered_resets (user_id, project_id, token_id)
            SELECT u.id, p.id, t.id FROM users u, projects p, project_tokens t
            WHERE t.project_id = p.id AND t.revoked_at IS NULL
            """);
        Time.Now += TimeSpan.FromSeconds(11);
        Assert.Equal(sameTime.Value.Token, (await ResetAsync(plane, GivenKey)).Value.Token);
        Assert.NotEqual(sameTime.Value.Token, (await ResetAsync(plane, GivenKey)).Value.Token);
    }

    [Fact]
    public async Task Who_comes_back_later_gets_a_new_token_and_the_one_that_came_into_force_meanwhile_ends()
    {
        await using var plane = await OpenAwayAsync();
        _authority.IsAway = true;
        var waiting = await Assert.ThrowsAsync<NotInForceException>(() => ResetAsync(plane, GivenKey));
        string leaked = Assert.IsType<TokenReset>(waiting.Recorded).Token;
        _authority.IsAway = false;
        Time.Now += TimeSpan.FromMinutes(3);

        var fresh = await ResetAsync(plane, GivenKey);

        Assert.NotEqual(leaked, fresh.Value.Token);
        Assert.Equal(TokenState.Unknown, await StateAsync(plane, leaked));
    }

    [Fact]
    public async Task A_success_that_is_repeated_by_its_key_while_the_authority_is_away_is_never_given_to_one_without()
    {
        await using var plane = await OpenAwayAsync();
        string old = await TokenAsync(plane);
        var first = await plane.Projects.ResetTokenAsync(CallerOf(GivenKey), "@current", "key", default);
        _authority.IsAway = true;
        var repeated = await Assert.ThrowsAsync<NotInForceException>(
            () => plane.Projects.ResetTokenAsync(CallerOf(GivenKey), "@current", "key", default));
        Assert.Equal((first.Value.Token, old), (
            Assert.IsType<TokenReset>(repeated.Recorded).Token, Assert.IsType<TokenReset>(repeated.Recorded).OldToken));
        _authority.IsAway = false;

        Assert.NotEqual(first.Value.Token, (await ResetAsync(plane, GivenKey)).Value.Token);
        Assert.Equal(TokenState.Unknown, await StateAsync(plane, first.Value.Token));
    }

    [Fact]
    public async Task A_reset_that_a_dead_process_left_long_ago_is_not_given_for_a_new_one()
    {
        await using var plane = await OpenAwayAsync();
        string leaked = (await ResetAsync(plane, GivenKey)).Value.Token;
        Sql(
            """
            INSERT INTO unanswered_resets (user_id, project_id, token_id)
            SELECT u.id, p.id, t.id FROM users u, projects p, project_tokens t
            WHERE t.project_id = p.id AND t.revoked_at IS NULL
            """);
        Time.Now += TimeSpan.FromMinutes(3);

        Assert.NotEqual(leaked, (await ResetAsync(plane, GivenKey)).Value.Token);
        Assert.Equal(TokenState.Unknown, await StateAsync(plane, leaked));
    }

    [Fact]
    public async Task What_nobody_asks_for_again_comes_into_force_by_itself()
    {
        await using var plane = await OpenAwayAsync();
        string old = await TokenAsync(plane);
        await plane.Tokens.ResolveAsync(Encoding.ASCII.GetBytes(old), default);
        _authority.IsAway = true;
        var waiting = await Assert.ThrowsAsync<NotInForceException>(() => ResetAsync(plane, GivenKey));

        using var stop = new CancellationTokenSource();
        var carrying = plane.CarryOverAsync(stop.Token);
        Assert.True(_authority.Shown.Epoch < waiting.Epoch);
        _authority.IsAway = false;

        Assert.True(
            SpinWait.SpinUntil(() => _authority.Shown.Epoch == waiting.Epoch, TimeSpan.FromSeconds(10)),
            "Nobody carried it over.");
        Assert.Equal(TokenState.Unknown, await StateAsync(plane, old));
        await stop.CancelAsync();
        await carrying;
    }

    [Fact]
    public async Task Who_may_do_what_is_read_from_the_database_and_changes_while_the_authority_is_away()
    {
        await using var plane = await OpenAwayAsync();
        _authority.IsAway = true;

        var key = await plane.Keys.CreateAsync(
            CallerOf(GivenKey), new NewKey("Another", ["*"], [], []), default);

        Assert.Null(key.Refusal);
        Assert.Null((await EnterAsync(plane, key.Value.Value, "@current", "project:read")).Refusal);
        Assert.True(_authority.Shown.Epoch < Sql("SELECT value FROM epoch"));
    }

    [Fact]
    public async Task A_project_whose_settings_are_not_in_force_is_told_to_be_so()
    {
        await using var plane = await OpenAwayAsync();
        _authority.IsAway = true;

        await Assert.ThrowsAsync<NotInForceException>(() => plane.Projects.UpdateAsync(
            CallerOf(GivenKey), "@current", name: null, new ProjectSettings { AnonymizeIps = true }, default));
        await Assert.ThrowsAsync<NotInForceException>(
            () => plane.Projects.DeleteAsync(CallerOf(GivenKey), "1", default));
    }

    [Fact]
    public async Task Deletions_are_read_anew_when_the_database_does_not_lead_on_from_where_it_was()
    {
        await using var plane = await OpenAwayAsync();
        await plane.Projects.DeleteAsync(CallerOf(GivenKey), "1", default);
        var all = await plane.Erasure.ReadDeletionsAsync(null, default);
        Assert.Equal((1, false), (all.Ids.Count, all.LeadsOn));

        var none = await plane.Erasure.ReadDeletionsAsync(all.Stamp, default);
        Assert.Equal((0, true), (none.Ids.Count, none.LeadsOn));

        var lost = all.Stamp with { Mark = all.Stamp.Mark ^ 1 };
        var anew = await plane.Erasure.ReadDeletionsAsync(lost, default);
        Assert.Equal((1, false), (anew.Ids.Count, anew.LeadsOn));
    }

    private async Task<ControlPlane> OpenAwayAsync() => await OpenAsync(stamp => _authority = new AwayAuthority(stamp));

    private static async Task<string> TokenAsync(ControlPlane plane) =>
        (await EnterAsync(plane, GivenKey, "@current", "project:read")).Value.ApiToken!;

    private static async Task<TokenState> StateAsync(ControlPlane plane, string token)
    {
        await plane.Fence.ProbeAsync(default);
        return (await plane.Tokens.ResolveAsync(Encoding.ASCII.GetBytes(token), default)).State;
    }

    /// <summary>Can be out of reach, as Redis can.</summary>
    private sealed class AwayAuthority(EpochStamp stamp) : IEpochAuthority
    {
        private readonly ProcessAuthority _authority = new(stamp);

        public volatile bool IsAway;

        public AuthorityKind Kind => AuthorityKind.Redis;

        public EpochStamp Shown => _authority.AskAsync(default).AsTask().Result!.Value;

        public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken) => IsAway
            ? ValueTask.FromException<EpochStamp?>(new TokenStoreException("Away."))
            : _authority.AskAsync(cancellationToken);

        public ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken) => IsAway
            ? ValueTask.FromException(new TokenStoreException("Away."))
            : _authority.RaiseAsync(stamp, cancellationToken);
    }
}
