using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>What one event must be, what is kept of it, and what becomes of a bad one.</summary>
public sealed class CaptureEventsTests
{
    public static TheoryData<string, RejectionReason> BadEvents() => new()
    {
        { "{\"distinct_id\":\"d\"}", RejectionReason.MissingEventName },
        { "{\"event\":\"\",\"distinct_id\":\"d\"}", RejectionReason.MissingEventName },
        { "{\"event\":7,\"distinct_id\":\"d\"}", RejectionReason.BadEventName },
        { "{\"event\":\"a\\u0000\",\"distinct_id\":\"d\"}", RejectionReason.BadEventName },
        { $"{{\"event\":\"{new string('é', 201)}\",\"distinct_id\":\"d\"}}", RejectionReason.EventNameTooLong },
        { "{\"event\":\"e\"}", RejectionReason.MissingDistinctId },
        { "{\"event\":\"e\",\"distinct_id\":null}", RejectionReason.MissingDistinctId },
        { "{\"event\":\"e\",\"distinct_id\":\"\",\"properties\":{\"distinct_id\":\"x\"}}", RejectionReason.MissingDistinctId },
        { "{\"event\":\"e\",\"distinct_id\":\" \\t\\u2003\"}", RejectionReason.MissingDistinctId },
        { "{\"event\":\"e\",\"distinct_id\":\"a\\u0000\"}", RejectionReason.BadDistinctId },
        { $"{{\"event\":\"e\",\"distinct_id\":\"{new string('x', 201)}\"}}", RejectionReason.DistinctIdTooLong },
        { "{\"event\":\"e\",\"distinct_id\":\"d\",\"uuid\":\"no\"}", RejectionReason.BadUuid },
        { "{\"event\":\"e\",\"distinct_id\":\"d\",\"uuid\":7}", RejectionReason.BadUuid },
        { "{\"event\":\"e\",\"distinct_id\":\"d\",\"properties\":[]}", RejectionReason.BadProperties },
        { "{\"event\":\"e\",\"distinct_id\":\"d\",\"$set\":\"x\"}", RejectionReason.BadProperties },
        { "{\"event\":\"e\",\"distinct_id\":\"d\",\"properties\":{\"$cookieless_mode\":1}}", RejectionReason.BadCookielessFlag },
        { "{\"event\":\"e\",\"distinct_id\":\"d\",\"properties\":{\"$cookieless_mode\":null}}", RejectionReason.BadCookielessFlag },
        { "7", RejectionReason.BadShape },
        { "\"text\"", RejectionReason.BadShape },
        { "[{}]", RejectionReason.BadShape },
        { "null", RejectionReason.BadShape },
    };

    [Theory]
    [MemberData(nameof(BadEvents))]
    public void A_bad_event_costs_the_good_ones_nothing(string bad, RejectionReason reason)
    {
        var captured = Captured.Parse(Batch(Event("first"), bad, Event("last")));

        Assert.Equal(["first", "last"], captured.Events.Select(kept => kept.Name));
        var refusal = Assert.Single(captured.Refusals);
        Assert.Equal((reason, 1, bad), (refusal.Reason, refusal.Index, refusal.Raw));
        Assert.Equal(refusal.Detail, Assert.Single(captured.Listed).Rejection.Detail);
        Assert.Equal(1, captured.Listed[0].Index);
    }

    [Theory]
    [MemberData(nameof(BadEvents))]
    public void When_no_event_is_good_the_first_reason_is_the_requests(string bad, RejectionReason reason) =>
        Assert.Equal(reason, Captured.Parse(Batch(bad, "{}")).Reason);

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    public void An_event_of_more_than_a_megabyte_is_refused_alone(int over, int kept)
    {
        string start = "{\"event\":\"e\",\"distinct_id\":\"d\",\"x\":\"";
        string large = start + new string('x', (1024 * 1024) + over - start.Length - 2) + "\"}";

        var captured = Captured.Parse(Batch(Event("good"), large));
        Assert.Equal(kept, captured.Events.Count);
        Assert.All(captured.Refusals, refusal => Assert.Equal((RejectionReason.EventTooLarge, large), (refusal.Reason, refusal.Raw)));
    }

    [Fact]
    public void Only_the_first_refusals_are_listed_and_all_are_kept()
    {
        var captured = Captured.Parse(Batch([Event("good"), .. Enumerable.Repeat("{}", 150)]));

        Assert.Equal(150, captured.Refusals.Count);
        Assert.Equal(100, captured.Listed.Count);
    }

    [Fact]
    public void Performance_events_are_dropped_in_silence()
    {
        const string Dropped = "{\"event\":\"$performance_event\"}";

        Assert.Equal("good", Captured.Parse(Batch(Dropped, Event("good"))).Event.Name);
        var nothingLeft = Captured.Parse(Batch(Dropped));
        Assert.Null(nothingLeft.Rejection);
        Assert.Empty(nothingLeft.Events);
        Assert.Equal(RejectionReason.MissingEventName, Captured.Parse(Batch(Dropped, "{}")).Reason);
    }

    [Theory]
    [InlineData("\"d\"", "d")]
    [InlineData("7", "7")]
    [InlineData("1e2", "1e2")]
    [InlineData("true", "true")]
    [InlineData("{\"a\": [1]}", "{\"a\": [1]}")]
    [InlineData("\"undefined\"", "undefined")]
    [InlineData("\"null\"", "null")]
    [InlineData("\"NaN\"", "NaN")]
    [InlineData("\"[object Object]\"", "[object Object]")]
    [InlineData("1e999", "1e999")]
    [InlineData("\"00000000-0000-0000-0000-000000000000\"", "00000000-0000-0000-0000-000000000000")]
    [InlineData("\" d \"", " d ")]
    [InlineData("\"\\ud83d\\ude00\\n\"", "😀\n")]
    [InlineData("\"cut \\ud83d\"", "cut \ufffd")]
    [InlineData("null,\"properties\":{\"distinct_id\":5}", "5")]
    [InlineData("\"first\",\"distinct_id\":\"last\"", "last")]
    public void A_distinct_id_is_text_or_its_json(string json, string expected) =>
        Assert.Equal(expected, Captured.Parse(Batch($"{{\"event\":\"e\",\"distinct_id\":{json}}}")).Event.DistinctId);

    [Fact]
    public void Two_hundred_code_points_are_taken_whatever_their_bytes()
    {
        string name = string.Concat(Enumerable.Repeat("😀", 200));

        Assert.Equal(name, Captured.Parse(Batch(Event(name))).Event.Name);
        Assert.Equal(RejectionReason.EventNameTooLong, Captured.Parse(Batch(Event(name + "a"))).Reason);
    }

    [Theory]
    [InlineData("", "{}")]
    [InlineData(",\"properties\":null", "{}")]
    [InlineData(",\"properties\":{ \"a\" : 1.0e+2, \"a\":2 }", "{ \"a\" : 1.0e+2, \"a\":2 }")]
    [InlineData(",\"properties\":{\"a\":1},\"properties\":{\"b\":2}", "{\"b\":2}")]
    [InlineData(",\"properties\":{ },\"$set\":{\"x\":1}", "{ \"$set\":{\"x\":1}}")]
    [InlineData(",\"properties\":{\"a\":1},\"$set\":{\"x\":1},\"$set_once\":{}", "{\"a\":1,\"$set\":{\"x\":1},\"$set_once\":{}}")]
    [InlineData(",\"properties\":{\"$set\":{\"y\":2}},\"$set\":{\"x\":1}", "{\"$set\":{\"y\":2}}")]
    [InlineData(",\"$set\":null,\"$set_once\":{\"z\":3}", "{\"$set_once\":{\"z\":3}}")]
    [InlineData(",\"properties\":{\"n\":1e999,\"m\":-1e-999,\"k\":0.1000000000000000055511151231257827}", "{\"n\":1e999,\"m\":-1e-999,\"k\":0.1000000000000000055511151231257827}")]
    [InlineData(",\"properties\":{\"t\":\"\\ud800x\\u0000\"}", "{\"t\":\"\\ufffdx\\u0000\"}")]
    public void Properties_are_kept_as_they_were_written(string fields, string expected) =>
        Assert.Equal(expected, Captured.Parse(Captured.Batch(fields)).Event.Properties);

    [Theory]
    [InlineData("\"$browser\":\"Chrome\",\"$ip\":\"1.2.3.4\"", "$browser=Chrome;$ip=1.2.3.4;")]
    [InlineData("\"$os\":7.50,\"$lib\":true,\"$host\":null,\"$pathname\":\"\",\"$device_type\":{}", "$os=7.50;$lib=true;")]
    [InlineData("\"$os\":\"a\\u0062\\ud83d\\ude00\"", "$os=ab😀;")]
    [InlineData("\"$os\":\"first\",\"$os\":\"second\"", "$os=first;")]
    [InlineData("\"$os\":null,\"$os\":\"second\"", "")]
    [InlineData("\"\\u0024os\":\"escaped key\"", "$os=escaped key;")]
    [InlineData("\"x\":{\"$os\":\"inner\"}", "")]
    public void Promoted_properties_are_collected(string properties, string expected) =>
        Assert.Equal(expected, Captured.Parse(Captured.Batch($",\"properties\":{{{properties}}}")).Event.Promoted);

    [Fact]
    public void Every_promoted_property_has_its_place()
    {
        var members = PromotedProperties.Names.Select((name, index) => $"\"{name}\":\"v{index}\"");
        var expected = PromotedProperties.Names.Select((name, index) => $"{name}=v{index};");

        var captured = Captured.Parse(Captured.Batch($",\"properties\":{{{string.Join(',', members)}}}"));
        Assert.Equal(string.Concat(expected), captured.Event.Promoted);
        Assert.Equal(PromotedSlices.Count, PromotedProperties.Count);
    }

    [Fact]
    public void A_promoted_value_too_long_for_its_size_is_left_out()
    {
        string properties = $"{{\"$host\":\"{new string('h', 65_536)}\",\"$os\":\"{new string('o', 65_535)}\"}}";

        var captured = Captured.Parse(Captured.Batch($",\"properties\":{properties}"));
        Assert.Equal($"$os={new string('o', 65_535)};", captured.Event.Promoted);
        Assert.Equal(properties, captured.Event.Properties);
    }

    [Theory]
    [InlineData("{\"$ip\":\"1.2.3.4\"}", true)]
    [InlineData("{\"$ip\":null}", true)]
    [InlineData("{}", false)]
    public void An_event_says_whether_it_has_its_own_address(string properties, bool expected) =>
        Assert.Equal(expected, Captured.Parse(Captured.Batch($",\"properties\":{properties}")).Event.HasOwnIp);

    [Theory]
    [InlineData("01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1")]
    [InlineData("01A1FFCB-91F5-7B65-B5DD-F1E6AC2461A1")]
    [InlineData("01a1ffcb91f57b65b5ddf1e6ac2461a1")]
    [InlineData("{01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1}")]
    [InlineData("urn:uuid:01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1")]
    [InlineData("01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a\\u0031")]
    public void A_uuid_is_one_however_it_is_written(string text)
    {
        var kept = Captured.Parse(Captured.Batch($",\"uuid\":\"{text}\"")).Event;

        Assert.Equal(Guid.Parse("01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1"), kept.Uuid);
        Assert.False(kept.HasOwnUuid);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"uuid\":null")]
    [InlineData(",\"uuid\":\"\"")]
    public void An_event_without_a_uuid_is_given_one_of_the_time_of_receipt(string fields)
    {
        var captured = Captured.Parse(Batch($"{{\"event\":\"e\",\"distinct_id\":\"d\"{fields}}}", Event("other")));

        Assert.All(captured.Events, kept => Assert.True(kept.HasOwnUuid));
        Assert.Equal(2, captured.Events.Select(kept => kept.Uuid).Distinct().Count());
        Assert.Equal(7, captured.Events[0].Uuid.Version);
        Assert.InRange(captured.Events[0].Uuid.Variant, 8, 11);
        Assert.StartsWith($"{Captured.Now / 1000:x12}"[..8], captured.Events[0].Uuid.ToString(), StringComparison.Ordinal);
    }

    private static string Event(string name) => $"{{\"event\":\"{name}\",\"distinct_id\":\"d\"}}";

    private static string Batch(params string[] events) =>
        $"{{\"api_key\":\"phc_a\",\"batch\":[{string.Join(',', events)}]}}";
}
