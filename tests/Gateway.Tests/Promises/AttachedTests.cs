using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>The journal of a machine that is gone is shipped by another gateway.</summary>
public sealed class AttachedTests(EngineFixture engine) : IClassFixture<EngineFixture>, IDisposable
{
    private readonly TemporaryFolder _dead = new();
    private readonly TemporaryFolder _heir = new();

    private string Journal => Path.Combine(_dead.Path, "journal");

    public void Dispose()
    {
        _dead.Remove();
        _heir.Remove();
    }

    [Fact]
    public async Task What_a_dead_gateway_had_acked_is_stored_once_and_counted_by_the_one_that_it_is_attached_to()
    {
        var load = new Load();
        await using (var dead = await GatewayProcess.StartAsync(
            _dead.Path, settings: ("ConnectionStrings:ClickHouse", "http://127.0.0.1:1")))
        {
            using var stop = new CancellationTokenSource();
            var client = load.PostUntilAsync(dead.Address, stop.Token);
            await Eventually.HoldsAsync(
                () => Task.FromResult(load.Acked > 500), TimeSpan.FromSeconds(30), () => "it takes events");
            await dead.PostAsync("/batch/", new
            {
                api_key = GatewayProcess.ProjectToken,
                batch = new object[] { new { @event = "good", distinct_id = "d" }, new { @event = "nameless" } },
            });
            await dead.KillAsync();
            await stop.CancelAsync();
            await client;
        }

        // The same installation's, as if both worked with one database.
        foreach (string file in Directory.GetFiles(_dead.Path, "control.db*"))
            File.Copy(file, Path.Combine(_heir.Path, Path.GetFileName(file)));
        await using var heir = await StartAsync(_heir.Path);
        await Eventually.HoldsAsync(
            () => Task.FromResult(heir.Output.Contains("1 rows that it had put aside are in our quarantine", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60), () => $"the journal is shipped; it said\n{heir.Output}");

        var stored = await heir.EventsAsync();
        load.AssertKept([.. stored.Where(row => load.Fates.ContainsKey(row.Uuid))]);
        var ledger = await GetAsync(heir, "ledger/");
        var totals = ledger.GetProperty("totals");
        Assert.Equal(2, ledger.GetProperty("journals").GetArrayLength());
        Assert.Equal(
            (stored.Count, stored.Count, 0),
            (totals.GetProperty("accepted").GetInt32(), totals.GetProperty("stored").GetInt32(), totals.GetProperty("waiting").GetInt32()));
        var row = Assert.Single((await GetAsync(heir, "quarantine/")).GetProperty("results").EnumerateArray());
        Assert.Equal("missing_distinct_id", row.GetProperty("code").GetString());

        // Attached still at the next start: there is nothing left of it.
        Assert.Equal(0, await heir.TerminateAsync());
        await using var again = await StartAsync(heir.Data);
        await Eventually.HoldsAsync(
            () => Task.FromResult(again.Output.Contains(" 0 rows that it had put aside", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60), () => $"it is told again; it said\n{again.Output}");
        Assert.Equal(stored.Count, (await again.EventsAsync()).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no/such/folder")]
    public async Task A_folder_that_is_no_journal_is_refused_at_the_start(string folder)
    {
        string path = Path.Combine(_dead.Path, folder);
        var gateway = await GatewayProcess.StartAsync(
            waitUntilReady: false, settings: ("Gateway:AttachJournals", path));

        Assert.Equal(1, await gateway.EndedAsync());
        Assert.Contains($"Gateway:AttachJournals names '{Path.GetFullPath(path)}'", gateway.Output, StringComparison.Ordinal);
        await gateway.ForgetAsync();
    }

    [Fact]
    public async Task A_journal_that_a_gateway_uses_is_not_attached()
    {
        await using var living = await GatewayProcess.StartAsync(_dead.Path);
        File.Delete(Path.Combine(Journal, "installation.id"));
        var gateway = await GatewayProcess.StartAsync(
            waitUntilReady: false, settings: ("Gateway:AttachJournals", Journal));

        Assert.Equal(1, await gateway.EndedAsync());
        Assert.Contains("Another process uses the journal in", gateway.Output, StringComparison.Ordinal);
        await gateway.ForgetAsync();
    }

    [Fact]
    public async Task A_journal_of_another_installation_is_refused_attached_or_its_own()
    {
        var away = ("ConnectionStrings:ClickHouse", "http://127.0.0.1:1");
        await using (var dead = await GatewayProcess.StartAsync(_dead.Path, settings: away))
        {
            await dead.PostAsync("/e/", new { api_key = GatewayProcess.ProjectToken, @event = "e", distinct_id = "d" });
            Assert.Equal(0, await dead.TerminateAsync());
        }

        await AssertRefusedAsync(await GatewayProcess.StartAsync(
            waitUntilReady: false, settings: [away, ("Gateway:AttachJournals", Journal)]));

        // Another control database has come to this journal.
        foreach (string file in Directory.GetFiles(_dead.Path, "control.db*")) File.Delete(file);
        await AssertRefusedAsync(await GatewayProcess.StartAsync(_dead.Path, waitUntilReady: false, settings: away));

        // As it says: whoever knows that the ids mean the same may go on.
        File.Delete(Path.Combine(Journal, "installation.id"));
        await using var again = await GatewayProcess.StartAsync(_dead.Path, settings: away);
        Assert.Equal(0, await again.TerminateAsync());

        async Task AssertRefusedAsync(GatewayProcess gateway)
        {
            Assert.Equal(1, await gateway.EndedAsync());
            Assert.Contains(
                $"The journal in '{Journal}' is of another installation", gateway.Output, StringComparison.Ordinal);
            await gateway.ForgetAsync();
        }
    }

    [Fact]
    public async Task A_journal_that_never_held_anything_is_whoevers_starts_with_it()
    {
        var away = ("ConnectionStrings:ClickHouse", "http://127.0.0.1:1");
        for (int installation = 0; installation < 2; installation++)
        {
            await using (var gateway = await GatewayProcess.StartAsync(_dead.Path, settings: away))
                Assert.Equal(0, await gateway.TerminateAsync());
            foreach (string file in Directory.GetFiles(_dead.Path, "control.db*")) File.Delete(file);
        }
    }

    private Task<GatewayProcess> StartAsync(string data) => GatewayProcess.StartAsync(data, settings:
    [
        ("ConnectionStrings:ClickHouse", engine.ConnectionString),
        ("Gateway:AttachJournals", Journal),
        ("Gateway:Ledger:CheckSeconds", "1"),
    ]);

    private static async Task<JsonElement> GetAsync(GatewayProcess gateway, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/projects/1/" + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        using var response = await gateway.Http.SendAsync(request);
        return JsonElement.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
    }
}
