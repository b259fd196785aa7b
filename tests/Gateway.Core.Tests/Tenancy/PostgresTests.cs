using System.Diagnostics;
using System.Text;
using Dapper;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>Several gateways on one database, and what may happen to it.</summary>
public sealed class PostgresTests() : ControlPlaneFixture(onPostgres: true)
{
    private const int Gateways = 4;

    // A lock is waited for two seconds, an answer three; the rest is a busy machine's.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Gateways_that_start_at_once_on_an_empty_database_make_one_installation()
    {
        var planes = await Task.WhenAll(Enumerable.Range(0, Gateways).Select(_ => Task.Run(() => OpenAsync())));

        Assert.Single(planes, plane => plane.Bootstrapped is not null);
        Assert.Single(planes.DistinctBy(plane => plane.InstallationId));
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM projects"));
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM users"));
        foreach (var plane in planes) await plane.DisposeAsync();
    }

    [Fact]
    public async Task A_token_that_was_reset_through_one_gateway_is_dead_at_the_next_fence_of_another()
    {
        await using var one = await OpenAsync("imported-token");
        await using var other = await OpenAsync();
        byte[] old = "imported-token"u8.ToArray();
        for (int i = 0; i < 20; i++)
        {
            var before = await other.Tokens.ResolveAsync(old, default);
            Assert.Equal(TokenState.Live, before.State);

            var reset = await ResetAsync(one, GivenKey);

            var answer = await other.Fence.AskAsync(before.Version, default);
            Assert.Equal((FenceVerdict.Moved, reset.Value.Epoch), (answer.Verdict, answer.Epoch));
            Assert.False(before.Entry!.IsCurrent);
            Assert.Equal(TokenState.Unknown, (await other.Tokens.ResolveAsync(old, default)).State);
            old = Encoding.ASCII.GetBytes(reset.Value.Project.ApiToken!);
        }
    }

    [Fact]
    public async Task Of_dozens_of_resets_through_several_gateways_one_token_lives()
    {
        await using var one = await OpenAsync();
        await using var other = await OpenAsync();
        ControlPlane[] planes = [one, other];
        long before = Sql("SELECT value FROM epoch");

        var resets = await Task.WhenAll(Enumerable.Range(0, 40).Select(
            i => Task.Run(() => ResetAsync(planes[i % planes.Length], GivenKey))));

        long last = Sql("SELECT value FROM epoch");
        Assert.Equal(Enumerable.Range(1, 40).Select(n => before + n), resets.Select(reset => reset.Value.Epoch).Order());
        Assert.Equal(last, Sql("SELECT COUNT(DISTINCT epoch) FROM change_log"));
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM project_tokens WHERE revoked_at IS NULL"));
        foreach (var reset in resets)
        {
            byte[] token = Encoding.ASCII.GetBytes(reset.Value.Project.ApiToken!);
            await other.Fence.AskAsync(0, default);
            var state = (await other.Tokens.ResolveAsync(token, default)).State;
            Assert.Equal(reset.Value.Epoch == last ? TokenState.Live : TokenState.Unknown, state);
        }
    }

    [Fact]
    public async Task A_change_that_lost_to_another_one_is_made_again_on_what_that_one_left()
    {
        await using (await OpenAsync())
        {
        }

        await using var one = await OpenDatabaseAsync(Postgres);
        await using var other = await OpenDatabaseAsync(Postgres);
        using var both = new Barrier(2);
        int attempts = 0;

        await Task.WhenAll(Task.Run(() => IncrementAsync(one)), Task.Run(() => IncrementAsync(other)));

        Assert.Equal(3, Sql("SELECT last_project_id FROM installation"));
        Assert.Equal(3, attempts);

        Task IncrementAsync(ControlDatabase database)
        {
            bool isFirst = true;
            return database.WriteAsync<Done>(
                async change =>
                {
                    Interlocked.Increment(ref attempts);
                    long seen = await change.ScalarAsync<long>("SELECT last_project_id FROM installation");
                    if (isFirst) both.SignalAndWait();
                    isFirst = false;
                    await change.ExecuteAsync("UPDATE installation SET last_project_id = @Next", new { Next = seen + 1 });
                    return default(Done);
                },
                default);
        }
    }

    [Fact]
    public async Task A_change_that_always_loses_is_given_up_with_what_it_lost_to()
    {
        await using var plane = await OpenAsync("taken");
        await using var database = await OpenDatabaseAsync(Postgres);
        int attempts = 0;

        var failure = await Assert.ThrowsAsync<TokenStoreException>(() => database.WriteAsync<Done>(
            async change =>
            {
                attempts++;
                await ProjectTokens.InsertAsync(change, 1, "taken", isImported: true);
                return default(Done);
            },
            default));

        Assert.InRange(attempts, 2, 20);
        Assert.Equal(PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>(failure.InnerException).SqlState);
        Assert.DoesNotContain("taken)", failure.InnerException.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_not_reported_as_done_and_holds_for_everyone_if_it_went_through()
    {
        await using var whole = await OpenAsync("imported-token");
        await using var proxy = new CuttingProxy(PostgresServer.Shared.Port);
        string through = new NpgsqlConnectionStringBuilder(Postgres) { Port = proxy.Port }.ConnectionString;
        await using var cut = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(Folder, new BootstrapOptions(), PostgresOf(through)),
            Time, NullLoggerFactory.Instance, default);
        var before = await cut.Tokens.ResolveAsync("imported-token"u8.ToArray(), default);
        Assert.Equal(TokenState.Live, before.State);

        // The use of the key is noted now, not by what follows.
        await EnterAsync(cut, GivenKey, "@current", Scopes.ProjectRead);

        proxy.CutAfter("COMMIT");
        await Assert.ThrowsAsync<TokenStoreException>(() => ResetAsync(cut, GivenKey));

        Assert.True(proxy.HasCut);
        foreach (var plane in (ControlPlane[])[whole, cut])
        {
            Assert.Equal(FenceVerdict.Moved, (await plane.Fence.AskAsync(before.Version, default)).Verdict);
            Assert.True(plane.Tokens.TryCheck("imported-token"u8, out var after));
            Assert.Equal(TokenState.Unknown, after.State);
        }

        Assert.False(before.Entry!.IsCurrent);
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM project_tokens WHERE revoked_at IS NULL"));
    }

    [Fact]
    public async Task A_frozen_server_costs_seconds_and_all_is_well_when_it_goes_on()
    {
        using var server = PostgresServer.Start();
        await using var plane = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(
                Folder, new BootstrapOptions { ApiKey = GivenKey }, PostgresOf(server.NewDatabase())),
            Time, NullLoggerFactory.Instance, default);
        await ResetAsync(plane, GivenKey);

        server.Freeze();
        for (int i = 0; i < 2; i++)
        {
            long started = Stopwatch.GetTimestamp();
            var verdict = (await plane.Fence.AskAsync(1, default)).Verdict;
            Assert.Equal(FenceVerdict.Unavailable, verdict);
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, Bound);

            started = Stopwatch.GetTimestamp();
            await Assert.ThrowsAsync<TokenStoreException>(() => ResetAsync(plane, GivenKey));
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, Bound);
        }

        server.Thaw();
        Assert.Null((await ResetAsync(plane, GivenKey)).Refusal);
        Assert.NotEqual(FenceVerdict.Unavailable, (await plane.Fence.AskAsync(1, default)).Verdict);
    }

    [Fact]
    public async Task A_gateway_that_stopped_while_it_held_the_epoch_keeps_the_others_for_two_seconds()
    {
        await using var plane = await OpenAsync();
        await using var stopped = await OpenDatabaseAsync(Postgres);
        var holds = new TaskCompletionSource<long>();
        var goesOn = new TaskCompletionSource();
        var holding = stopped.WriteAsync<Done>(
            async change =>
            {
                await change.ExecuteAsync("UPDATE epoch SET value = value + 1000");

                // From here the two seconds run: what stalls before it does not count against them.
                holds.SetResult(Stopwatch.GetTimestamp());
                await goesOn.Task;
                change.Touch("token", 1);
                return default(Done);
            },
            default);
        long started = await holds.Task;

        var reset = await ResetAsync(plane, GivenKey);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(1), Bound);

        goesOn.SetResult();
        await Assert.ThrowsAsync<TokenStoreException>(() => holding);
        Assert.Equal(reset.Value.Epoch, Sql("SELECT value FROM epoch"));
    }

    [Fact]
    public async Task The_fence_does_not_wait_for_slow_reads_of_others()
    {
        await using var plane = await OpenAsync();
        await using var database = await OpenDatabaseAsync(Postgres);
        var store = new SqlTokenStore(database);
        await store.ReadEpochAsync(default);
        var slow = Enumerable.Range(0, 40).Select(_ => SleepAsync(database, new TaskCompletionSource(), default)).ToList();
        await Task.Delay(200);

        for (int i = 0; i < 10; i++)
        {
            long started = Stopwatch.GetTimestamp();
            await store.ReadEpochAsync(default);
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }

        Assert.Contains(slow, read => !read.IsCompleted);
        await Task.WhenAll(slow).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task A_read_that_is_given_up_begins_no_other_statement()
    {
        await using var plane = await OpenAsync();
        await using var database = await OpenDatabaseAsync(Postgres);
        using var goesAway = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var ended = new TaskCompletionSource();

        long started = Stopwatch.GetTimestamp();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SleepAsync(database, ended, goesAway.Token));
        await ended.Task;

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(2.9));
    }

    [Fact]
    public async Task Connections_that_the_server_ended_cost_no_read()
    {
        await using var plane = await OpenAsync();
        for (int round = 0; round < 5; round++)
        {
            Assert.True(await plane.Fence.ProbeAsync(default));
            Assert.Null((await EnterAsync(plane, GivenKey, "@current", Scopes.ProjectRead)).Refusal);
            Sql(
                """
                SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """);

            Assert.True(await plane.Fence.ProbeAsync(default));
            Assert.Null((await EnterAsync(plane, GivenKey, "@current", Scopes.ProjectRead)).Refusal);
        }
    }

    [Fact]
    public async Task A_server_that_took_over_without_a_change_does_not_vouch_for_it()
    {
        await using var plane = await OpenAsync();
        await using var database = await OpenDatabaseAsync(Postgres);
        var authority = new DatabaseAuthority(new SqlTokenStore(database));
        var shown = (await authority.AskAsync(default))!.Value;

        await authority.RaiseAsync(shown, default);
        var next = shown with { Epoch = shown.Epoch + 1 };
        await Assert.ThrowsAsync<TokenStoreException>(async () => await authority.RaiseAsync(next, default));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_without_the_password()
    {
        string nobody = new NpgsqlConnectionStringBuilder(Postgres) { Port = 1 }.ConnectionString;

        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => ControlPlane.OpenAsync(
            new ControlPlaneOptions(Folder, new BootstrapOptions(), PostgresOf(nobody)),
            Time, NullLoggerFactory.Instance, default));

        Assert.Contains("127.0.0.1:1/", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("never-shown", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=db;Username=u;Passwort=never-shown;Database=d")]
    [InlineData("Host=db;Port=never-shown;Database=d")]
    [InlineData("Host=db;Password=a;never-shown=1;Database=d")]
    [InlineData("postgres://user:never-shown@db/d")]
    [InlineData("Password=never-shown;Database=d")]
    [InlineData("Password=never-shown;Host=db")]
    public void A_connection_string_that_cannot_be_one_is_refused_without_repeating_it(string text)
    {
        Assert.False(PostgresOptions.TryParse(text, out _, out string? error));
        Assert.Contains("Host=db;Username=gateway", error, StringComparison.Ordinal);
        Assert.DoesNotContain("never-shown", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_show_where_the_database_is_and_no_more()
    {
        var options = PostgresOf("Host=db;Port=5433;Username=secret-user;Password=never-shown;Database=accounts");

        Assert.Equal("db:5433/accounts", options.ToString());
        Assert.DoesNotContain(
            "never-shown", new ControlPlaneOptions("x", new BootstrapOptions(), options).ToString(), StringComparison.Ordinal);
    }

    private static async Task SleepAsync(
        ControlDatabase database, TaskCompletionSource ended, CancellationToken cancellationToken) =>
        await database.ReadAsync<Done>(
            async connection =>
            {
                try
                {
                    for (int i = 0; i < 4; i++) await connection.ExecuteAsync("SELECT pg_sleep(1)");
                    return default;
                }
                finally
                {
                    ended.SetResult();
                }
            },
            cancellationToken);

    private async Task<ControlDatabase> OpenDatabaseAsync(string connectionString) =>
        await PostgresDatabase.OpenAsync(PostgresOf(connectionString), Time, default);
}
