using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;

namespace Gateway.Core.Tests.Tenancy;

public sealed class AuditLogOnSqliteTests() : AuditLogTests(onPostgres: false);

public sealed class AuditLogOnPostgresTests() : AuditLogTests(onPostgres: true);

public abstract class AuditLogTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private const string Current = "@current";
    private const string OneIsTen = "UPDATE audit_log SET number = 10 WHERE number = 1;";

    [Theory]
    [InlineData("UPDATE audit_log SET actor = 'somebody@else' WHERE number = 2", 2)]
    [InlineData("UPDATE audit_log SET actor_via = 'session' WHERE number = 2", 2)]
    [InlineData("UPDATE audit_log SET ip = '203.0.113.9' WHERE number = 2", 2)]
    [InlineData("UPDATE audit_log SET action = 'nothing' WHERE number = 2", 2)]
    [InlineData("UPDATE audit_log SET target = 'project 9' WHERE number = 2", 2)]
    [InlineData("UPDATE audit_log SET at = at + 1 WHERE number = 1", 1)]
    [InlineData("UPDATE audit_log SET detail = '{}' WHERE number = 4", 4)]
    [InlineData("UPDATE audit_log SET hash = 'x' WHERE number = 3", 3)]
    [InlineData("DELETE FROM audit_log WHERE number = 1", 1)]
    [InlineData("DELETE FROM audit_log WHERE number = 2", 2)]
    [InlineData("DELETE FROM audit_log WHERE number = 4", 4)]
    [InlineData("DELETE FROM audit_log WHERE number > 2", 3)]
    [InlineData("DELETE FROM audit_log", 1)]
    [InlineData("DELETE FROM audit_log WHERE number = 2; UPDATE audit_log SET number = number - 1 WHERE number > 2", 2)]
    [InlineData(
        OneIsTen + "UPDATE audit_log SET number = 1 WHERE number = 2;"
        + "UPDATE audit_log SET number = 2 WHERE number = 10",
        1)]
    [InlineData("UPDATE audit_heads SET hash = 'x'", 4)]
    [InlineData("UPDATE audit_heads SET count = count + 1", 5)]
    [InlineData("UPDATE audit_heads SET count = 3", 3)]
    [InlineData("UPDATE audit_heads SET count = 3, hash = (SELECT hash FROM audit_log WHERE number = 3)", 4)]
    [InlineData("DELETE FROM audit_heads", 1)]
    public async Task A_row_that_is_not_as_it_was_written_is_found(string damage, long firstBad)
    {
        await using var plane = await OpenAsync();
        for (int i = 0; i < 4; i++) await ResetAsync(plane, GivenKey);
        var before = await CheckAsync(plane);

        Sql(damage);
        var check = await CheckAsync(plane);

        Assert.Equal((4, null, null), (before.Head.Count, before.FirstBad, before.Reason));
        Assert.Equal(firstBad, check.FirstBad);
        Assert.NotNull(check.Reason);
    }

    [Fact]
    public async Task Every_page_has_the_head_and_leads_on_to_the_first_row()
    {
        await using var plane = await OpenAsync();
        for (int i = 0; i < 5; i++) await ResetAsync(plane, GivenKey);
        var head = (await CheckAsync(plane)).Head;
        var numbers = new List<long>();

        for (long before = long.MaxValue; before > 1; before = numbers[^1])
        {
            var page = await plane.AuditLog.ReadAsync(CallerOf(GivenKey), Current, before, limit: 2, default);
            Assert.Equal((head.Count, head.Hash), (page.Value.Head.Count, page.Value.Head.Hash));
            numbers.AddRange(page.Value.Rows.Select(row => row.Number));
            if (page.Value.Rows[0].Number == head.Count) Assert.Equal(head.Hash, page.Value.Rows[0].Hash);
        }

        Assert.Equal([5, 4, 3, 2, 1], numbers);
    }

    [Fact]
    public async Task It_says_who_did_what_when_and_from_where_and_never_a_token_or_key()
    {
        await using var plane = await OpenAsync();
        var owner = Caller.OfKey(GivenKey, "198.51.100.7");
        string reset = (await plane.Projects.ResetTokenAsync(owner, "1", null, default)).Value.Token;
        var wanted = new NewProject("Imported", "in-the-field", new ProjectSettings());
        await plane.Projects.CreateAsync(owner, Current, wanted, default);
        var key = await plane.Keys.CreateAsync(owner, new NewKey("K", ["*"], [], []), default);
        string rolled = (await plane.Keys.RollAsync(owner, $"{key.Value.Id}", default)).Value.Value!;
        var invite = await plane.Invites.CreateAsync(owner, Current, "new@example.com", MemberLevel.Member, default);

        var rows = (await plane.AuditLog.ReadAsync(owner, Current, null, 100, default)).Value.Rows;
        string all = string.Join('\n', rows.Select(row => $"{row.Actor} {row.ActorVia} {row.Target} {row.Detail}"));

        Assert.Equal(
            ["invite.created", "key.rolled", "key.created", "project.created", "project.token_reset"],
            rows.Select(row => row.Action));
        Assert.All(rows, row => Assert.Equal("198.51.100.7", row.Ip));
        Assert.All(rows, row => Assert.Equal(Time.Now, DateTimeOffset.UnixEpoch.AddMicroseconds(row.At)));
        foreach (string secret in new[]
            { reset, "in-the-field", GivenKey, key.Value.Value!, rolled, invite.Value.Secret! })
        {
            Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        }

        Assert.Null((await CheckAsync(plane)).FirstBad);
    }

    [Fact]
    public async Task A_chain_that_was_written_anew_is_told_from_the_head_that_somebody_noted_down()
    {
        await using var plane = await OpenAsync();
        for (int i = 0; i < 3; i++) await ResetAsync(plane, GivenKey);
        var noted = (await CheckAsync(plane)).Head;

        Assert.Null((await CheckAsync(plane, noted)).FirstBad);
        await ResetAsync(plane, GivenKey);
        Assert.Null((await CheckAsync(plane, noted)).FirstBad);

        // Whoever takes the whole log away, and what is written afterwards: a whole chain, but not that one.
        Sql("DELETE FROM audit_log; DELETE FROM audit_heads");
        for (int i = 0; i < 3; i++) await ResetAsync(plane, GivenKey);
        Assert.Null((await CheckAsync(plane)).FirstBad);
        Assert.Equal(noted.Count, (await CheckAsync(plane, noted)).FirstBad);

        Sql("DELETE FROM audit_log; DELETE FROM audit_heads");
        Assert.Equal(1, (await CheckAsync(plane, noted)).FirstBad);
    }

    [Theory]
    [InlineData("DELETE FROM audit_heads")]
    [InlineData("UPDATE audit_heads SET count = 1, hash = (SELECT hash FROM audit_log WHERE number = 1)")]
    public async Task A_head_that_is_gone_stops_nobody_and_is_found(string harm)
    {
        await using var plane = await OpenAsync();
        for (int i = 0; i < 3; i++) await ResetAsync(plane, GivenKey);
        Sql(harm);

        Assert.Null((await ResetAsync(plane, GivenKey)).Refusal);
        Assert.NotNull((await CheckAsync(plane)).FirstBad);
    }

    private static async Task<AuditCheck> CheckAsync(ControlPlane plane, AuditHead? noted = null) =>
        (await plane.AuditLog.CheckAsync(CallerOf(GivenKey), Current, noted, default)).Value;
}
