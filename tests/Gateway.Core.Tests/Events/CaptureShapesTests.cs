using System.Text;

namespace Gateway.Core.Tests.Events;

/// <summary>The shapes of a body, and where its token stands.</summary>
public sealed class CaptureShapesTests
{
    private const string Good = "\"event\":\"e\",\"distinct_id\":\"d\"";

    [Theory]
    [InlineData($$$"""[{"token":"phc_a",{{{Good}}}},{"token":"phc_a",{{{Good}}}}]""", 2)]
    [InlineData($$$"""{"api_key":"phc_a","batch":[{{{{Good}}}},{{{{Good}}}},{{{{Good}}}}]}""", 3)]
    [InlineData($$$"""{"batch":[{{{{Good}}}}],"historical_migration":false,"sent_at":"x","api_key":"phc_a"}""", 1)]
    [InlineData($$$"""{"token":"phc_a",{{{Good}}}}""", 1)]
    [InlineData($$$"""{"$token":"phc_a",{{{Good}}}}""", 1)]
    [InlineData($$$"""{"api_key":"phc_a",{{{Good}}},"batch":null}""", 1)]
    [InlineData($$$"""{{{{Good}}},"properties":{"token":"phc_a"}}""", 1)]
    [InlineData($$$"""[{{{{Good}}},"properties":{"token":"phc_a"}},{"api_key":"phc_a",{{{Good}}}},{{{{Good}}}}]""", 3)]
    [InlineData($$$"""  {"token" : "  phc_a\u0020", {{{Good}}} }  """, 1)]
    [InlineData($$$"""{"\u0074oken":"phc_\u0061",{{{Good}}}}""", 1)]
    [InlineData($$$"""{"token":"phc_a","api_key":"phc_a","$token":null,{{{Good}}}}""", 1)]
    [InlineData($$$"""{"api_key":"phc_a","batch":[{"token":"phc_b",{{{Good}}},"properties":{"token":"phc_c"}}]}""", 1)]
    public void Every_shape_and_every_place_of_the_token_is_read(string body, int events)
    {
        var captured = Captured.Parse(body);

        Assert.Null(captured.Rejection);
        Assert.Equal("phc_a", captured.Token);
        Assert.Equal(events, captured.Events.Count);
    }

    [Theory]
    [InlineData("", RejectionReason.MissingPayload)]
    [InlineData("3", RejectionReason.BadShape)]
    [InlineData("\"text\"", RejectionReason.BadShape)]
    [InlineData("<html>", RejectionReason.BadJson)]
    [InlineData("   ", RejectionReason.BadJson)]
    [InlineData("{", RejectionReason.BadJson)]
    [InlineData("[", RejectionReason.BadJson)]
    [InlineData("{}{}", RejectionReason.BadJson)]
    [InlineData("[]]", RejectionReason.BadJson)]
    [InlineData("{\"a\":1,}", RejectionReason.BadJson)]
    [InlineData("{/* */}", RejectionReason.BadJson)]
    [InlineData("[]", RejectionReason.EmptyBatch)]
    [InlineData("{\"batch\":[]}", RejectionReason.EmptyBatch)]
    [InlineData("{\"api_key\":\"phc_a\",\"batch\":{}}", RejectionReason.BadShape)]
    [InlineData($$$"""{"api_key":"phc_a","batch":[{{{{Good}}}}],"batch":[]}""", RejectionReason.BadShape)]
    [InlineData("{}", RejectionReason.MissingToken)]
    [InlineData($$$"""{"api_key":"","batch":[{{{{Good}}}}]}""", RejectionReason.MissingToken)]
    [InlineData($$$"""{"batch":[{"token":"phc_a",{{{Good}}}}]}""", RejectionReason.MissingToken)]
    [InlineData($$$"""{"token":7,{{{Good}}}}""", RejectionReason.BadToken)]
    [InlineData($$$"""{"token":"phc_\u0000",{{{Good}}}}""", RejectionReason.BadToken)]
    [InlineData($$$"""{"token":"phc_é",{{{Good}}}}""", RejectionReason.BadToken)]
    [InlineData($$$"""{"token":" phx_secret",{{{Good}}}}""", RejectionReason.PersonalKeyAsToken)]
    [InlineData($$$"""{"token":"phc_a","api_key":"phc_b",{{{Good}}}}""", RejectionReason.AmbiguousToken)]
    [InlineData($$$"""{"api_key":"phc_a","batch":[{{{{Good}}}}],"token":"phc_b"}""", RejectionReason.AmbiguousToken)]
    [InlineData($$$"""{"token":"phc_a","token":"phc_b",{{{Good}}}}""", RejectionReason.AmbiguousToken)]
    [InlineData($$$"""[{"token":"phc_a",{{{Good}}}},{"token":"phc_b",{{{Good}}}}]""", RejectionReason.ConflictingTokens)]
    [InlineData($$$"""[{"token":"phc_a","api_key":"phc_b",{{{Good}}}}]""", RejectionReason.ConflictingTokens)]
    [InlineData($$$"""[{"token":"phc_a",{{{Good}}}},{{{{Good}}},"properties":{"token":"phc_b"}}]""", RejectionReason.ConflictingTokens)]
    [InlineData($$$"""[{{{{Good}}}}]""", RejectionReason.MissingToken)]
    public void A_request_that_cannot_be_taken_is_refused_whole(string body, RejectionReason reason)
    {
        var captured = Captured.Parse(body);

        Assert.Equal(reason, captured.Reason);
        Assert.NotEmpty(captured.Rejection!.Detail);
    }

    [Theory]
    [InlineData("{\"distinct_id\":\"d\"}", RejectionReason.MissingToken)]
    [InlineData("{\"token\":\"phc_a\",\"distinct_id\":\"d\"}", RejectionReason.MissingEventName)]
    [InlineData("{\"token\":\"phc_a\",\"distinct_id\":\"d\"", RejectionReason.BadJson)]
    [InlineData("{\"token\":\"phx_a\",\"batch\":[]}", RejectionReason.EmptyBatch)]
    public void Json_comes_before_emptiness_and_the_token_before_the_events(string body, RejectionReason reason) =>
        Assert.Equal(reason, Captured.Parse(body).Reason);

    [Theory]
    [InlineData(64, RejectionReason.None)]
    [InlineData(65, RejectionReason.BadToken)]
    [InlineData(100_000, RejectionReason.BadToken)]
    public void A_token_has_at_most_64_bytes(int length, RejectionReason reason) =>
        Assert.Equal(reason, Captured.Parse($$$"""{"token":"{{{new string('a', length)}}}",{{{Good}}}}""").Reason);

    [Fact]
    public void A_personal_key_is_never_shown_or_handed_on()
    {
        var captured = Captured.Parse($$$"""{"token":"phx_secret",{{{Good}}}}""");

        Assert.Equal("", captured.Token);
        Assert.DoesNotContain("secret", captured.Rejection!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_token_is_known_even_when_no_event_is_good() =>
        Assert.Equal("phc_a", Captured.Parse("{\"token\":\"phc_a\"}").Token);

    [Fact]
    public void An_event_without_a_name_is_an_identify_on_engage_only()
    {
        const string Body = """{"$token":"mx","$distinct_id":"d","$set":{"a":1}}""";

        var captured = Captured.Parse(Body, isEngage: true);
        Assert.Equal("$identify", captured.Event.Name);
        Assert.Equal("d", captured.Event.DistinctId);
        Assert.Equal("""{"$set":{"a":1}}""", captured.Event.Properties);
        Assert.Equal(RejectionReason.MissingEventName, Captured.Parse(Body).Reason);
        Assert.Equal("e", Captured.Parse($$$"""{"token":"a",{{{Good}}}}""", isEngage: true).Event.Name);
    }

    [Fact]
    public void The_historical_flag_and_the_address_stand_in_the_payload()
    {
        byte[] body = Encoding.UTF8.GetBytes(Captured.Batch("", ",\"historical_migration\":true"));

        var captured = Captured.Parse(body, ip: "2001:db8::1");
        Assert.True(captured.IsHistorical);
        Assert.Equal("2001:db8::1", captured.Ip);
        Assert.False(Captured.Parse(Captured.Batch("", ",\"historical_migration\":\"true\"")).IsHistorical);

        // It is said of a batch.
        Assert.False(Captured.Parse($$$"""{"token":"a","historical_migration":true,{{{Good}}}}""").IsHistorical);
    }
}
