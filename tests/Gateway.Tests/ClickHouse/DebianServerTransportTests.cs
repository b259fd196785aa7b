namespace Gateway.Tests.ClickHouse;

public sealed class DebianServerTransportTests(DebianServer server)
    : TransportContract(server.Target), IClassFixture<DebianServer>;
