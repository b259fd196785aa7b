using System.Text;
using System.Text.Json;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

public sealed class ClientAddressesTests
{
    [Theory]
    [InlineData("""{"event":"e","distinct_id":"d"}""")]
    [InlineData("""{"event":"e","distinct_id":"d","properties":{"$ip":"203.0.113.77"}}""")]
    [InlineData("""{"event":"e","distinct_id":"d","properties":{"a":1,"$ip":"203.0.113.77","b":2}}""")]
    [InlineData("""{"event":"e","distinct_id":"d","properties":{"\u0024ip":"203.0.113.77"}}""")]
    [InlineData("""{"event":"e","distinct_id":"d","properties":{"$ip":"203.0.113.77","$ip":"203.0.113.77"}}""")]
    [InlineData("""{"event":"e","distinct_id":"d","properties":{"$set":{"$ip":"203.0.113.77"}}}""")]
    [InlineData("""{"event":"e","distinct_id":"d","$set":{"$ip":"203.0.113.77"},"properties":{}}""")]
    [InlineData("""{"event":"e","distinct_id":"d","properties":{"$ip":["203.0.113.77",{"x":"203.0.113.77"}]}}""")]
    [InlineData("""{"event":"e","distinct_id":"","properties":{"$ip":"203.0.113.77"}}""")]
    public void No_address_is_left_in_what_goes_into_the_journal(string json)
    {
        using var parser = Parsed($$"""{"api_key":"t","batch":[{{json}},{"event":"good","distinct_id":"d"}]}""");

        parser.EraseAddresses();

        string left = Encoding.UTF8.GetString(parser.Payload.Span);
        Assert.DoesNotContain("203.0.113", left, StringComparison.Ordinal);
        Assert.DoesNotContain("198.51.100", left, StringComparison.Ordinal);

        // All else is as it was, and reads as before.
        var read = Captured.Read(parser, null);
        Assert.Equal("", read.Ip);
        Assert.Equal(2, read.Events.Count + read.Refusals.Count);
        foreach (var row in read.Events) using (JsonDocument.Parse(row.Properties)) Assert.Equal("d", row.DistinctId);
    }

    [Theory]
    [InlineData("1", "0")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("{}", "\"\"")]
    [InlineData("\"x\"", "\"\" ")]
    [InlineData("true", "null")]
    [InlineData("\"203.0.113.77\"", "null          ")]
    public void A_value_becomes_another_of_the_same_length(string value, string expected)
    {
        using var parser = Parsed(
            $$$"""{"api_key":"t","event":"e","distinct_id":"d","properties":{"$ip":{{{value}}},"b":2}}""");

        parser.EraseAddresses();

        string properties = Captured.Read(parser, null).Event.Properties;
        Assert.Equal($$"""{"$ip":{{expected}},"b":2}""", properties);
    }

    [Fact]
    public void Erasing_again_changes_nothing_and_what_is_no_address_stays()
    {
        using var parser = Parsed(
            """{"api_key":"t","event":"$ip","distinct_id":"$ip","properties":{"x":"$ip","ip":"1.1.1.1","y":{"$ipx":1}}}""");
        string before = Captured.Read(parser, null).Event.Properties;

        parser.EraseAddresses();
        byte[] once = parser.Payload.ToArray();
        parser.EraseAddresses();

        Assert.Equal(once, parser.Payload.ToArray());
        var read = Captured.Read(parser, null).Event;
        Assert.Equal((before, "$ip", "$ip"), (read.Properties, read.Name, read.DistinctId));
    }

    private static CaptureParser Parsed(string body)
    {
        var parser = new CaptureParser(new CaptureLimits());
        var facts = new RequestFacts { ClientIp = "198.51.100.1"u8 };
        Assert.Null(parser.Parse(Encoding.UTF8.GetBytes(body), facts, Captured.Now));
        return parser;
    }
}
