namespace Gateway.Tests.ClickHouse;

public sealed class DebianServerTransportTests(DebianServer server)
    : TransportContract(server.Target), IClassFixture<DebianServer>
{
    [Fact]
    public async Task An_error_in_the_middle_of_a_result_has_its_code() =>
        Assert.Equal(395, (await BrokenResultAsync()).Code);
}
