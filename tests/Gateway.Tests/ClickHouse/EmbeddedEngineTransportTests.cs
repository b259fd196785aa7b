using System.Text;
using Gateway.Tests.Engine;

namespace Gateway.Tests.ClickHouse;

public sealed class EmbeddedEngineTransportTests(EngineFixture engine)
    : TransportContract(engine.Target), IClassFixture<EngineFixture>
{
    [Theory]
    [InlineData("plain")]
    [InlineData("ü ' \" \\ % & + {x:String}")]
    [InlineData("tab\tline\nreturn\r\\n\b\f\0end")]
    [InlineData("")]
    public async Task A_parameter_arrives_as_it_was(string value)
    {
        string bytes = await Client.QueryTextAsync("SELECT hex({p:String})", [new("p", value)]);

        Assert.Equal(Convert.ToHexString(Encoding.UTF8.GetBytes(value)), bytes.TrimEnd('\n'));
    }

    [Fact]
    public async Task An_insert_says_how_many_rows_it_wrote()
    {
        await Client.ExecuteAsync("CREATE TABLE counted (n UInt64, s String) ENGINE = MergeTree ORDER BY n");

        Assert.Equal(1000, await Client.InsertAsync("INSERT INTO counted (n, s) FORMAT Native", Block(1000)));
    }

    [Fact]
    public async Task A_query_that_nobody_waits_for_any_more_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var query = Client.ExecuteAsync(
            "SELECT sum(sipHash64(number)) /* forgotten */ FROM numbers(1000000000000)", cancellationToken: cancel.Token);
        await UntilRunningAsync(1);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);

        await UntilRunningAsync(0);
    }

    private async Task UntilRunningAsync(int count)
    {
        const string Running =
            "SELECT count() FROM system.processes WHERE query LIKE '%forgotten%' AND query NOT LIKE '%processes%'";
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await Client.QueryTextAsync(Running, cancellationToken: patience.Token) != $"{count}\n")
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
