using System.Buffers;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>Bodies made to break parsers, and what each costs.</summary>
public sealed class HostileBodiesTests
{
    /// <summary>By name: a test's arguments are copied about, and these are large.</summary>
    private static readonly Dictionary<string, (Func<string> Body, RejectionReason Reason)> Bodies = new()
    {
        ["a million arrays left open"] = (() => new string('[', 1_000_000), RejectionReason.BadJson),
        ["a million nested arrays"] = (
            () => new string('[', 1_000_000) + new string(']', 1_000_000),
            RejectionReason.BadJson),
        ["a million nested objects"] = (
            () => string.Concat(Enumerable.Repeat("{\"a\":", 1_000_000)),
            RejectionReason.BadJson),
        ["just deep enough"] = (() => Captured.Batch($",\"properties\":{Nested(60)}"), RejectionReason.None),
        ["one too deep"] = (() => Captured.Batch($",\"properties\":{Nested(62)}"), RejectionReason.BadJson),
        ["a key of 10 MB"] = (() => $"{{\"{new string('k', 10_000_000)}\":1}}", RejectionReason.MissingToken),
        ["a name of 900 kB"] = (
            () => $"{{\"token\":\"a\",\"event\":\"{new string('e', 900_000)}\",\"distinct_id\":\"d\"}}",
            RejectionReason.EventNameTooLong),
        ["a number of 100 000 digits"] = (
            () => Captured.Batch($",\"properties\":{{\"n\":1{new string('0', 100_000)}}}"),
            RejectionReason.None),
        ["an exponent of 100 000 digits"] = (
            () => Captured.Batch($",\"properties\":{{\"n\":1e{new string('9', 100_000)}}}"),
            RejectionReason.None),
        ["a timestamp of 100 000 digits"] = (
            () => Captured.Batch($",\"timestamp\":1{new string('0', 100_000)}"),
            RejectionReason.None),
        ["an offset of 100 000 digits"] = (
            () => Captured.Batch($",\"offset\":-1{new string('0', 100_000)}"),
            RejectionReason.None),
        ["a uuid of 100 kB"] = (
            () => Captured.Batch($",\"uuid\":\"{new string('0', 100_000)}\""),
            RejectionReason.BadUuid),
        ["a time of 100 kB"] = (
            () => Captured.Batch($",\"timestamp\":\"{new string('1', 100_000)}\""),
            RejectionReason.None),
        ["a million keys"] = (
            () => $"{{{string.Join(',', Enumerable.Range(0, 1_000_000).Select(i => $"\"{i}\":{i}"))}}}",
            RejectionReason.MissingToken),
        ["one event too many"] = (
            () => $"[{string.Join(',', Enumerable.Repeat("{}", 10_001))}]",
            RejectionReason.TooManyEvents),
        ["ten thousand numbers"] = (
            () => $"[{string.Join(',', Enumerable.Repeat("1", 10_000))}]",
            RejectionReason.MissingToken),
        ["ten thousand empty events"] = (
            () => $"[{string.Join(',', Enumerable.Repeat("{\"token\":\"a\"}", 10_000))}]",
            RejectionReason.MissingEventName),
        ["a token of escapes"] = (
            () => $"{{\"token\":\"{string.Concat(Enumerable.Repeat("\\u0061", 64))}\"}}",
            RejectionReason.MissingEventName),
        ["a longer token of escapes"] = (
            () => $"{{\"token\":\"{string.Concat(Enumerable.Repeat("\\u0061", 65))}\"}}",
            RejectionReason.BadToken),
        ["surrogates outside of text"] = (
            () => string.Concat(Enumerable.Repeat("\\ud800", 100_000)),
            RejectionReason.BadJson),
        ["a megabyte of base64"] = (() => new string('A', 1_000_000), RejectionReason.BadJson),
        ["a megabyte of ampersands"] = (() => new string('&', 1_000_000), RejectionReason.BadJson),
    };

    public static TheoryData<string> Names() => new(Bodies.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_hostile_body_is_answered_and_not_suffered(string name)
    {
        var (body, reason) = Bodies[name];
        Assert.Equal(reason, Captured.Parse(body()).Reason);
    }

    [Theory]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xc3 })]
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })]
    [InlineData(new byte[] { 0xc0, 0xaf })]
    public void Text_that_is_no_utf8_is_refused_wherever_it_stands(byte[] bad)
    {
        byte[] start = Encoding.UTF8.GetBytes("{\"token\":\"a\",\"event\":\"e\",\"distinct_id\":\"d\",\"x\":\"");

        Assert.Equal(RejectionReason.BadUtf8, Captured.Parse([.. start, .. bad, .. "\"}"u8]).Reason);
        Assert.Equal(RejectionReason.BadUtf8, Captured.Parse(Captured.Gzip([.. start, .. bad, .. "\"}"u8])).Reason);
    }

    [Fact]
    public void Lone_surrogates_are_repaired_everywhere_they_would_throw()
    {
        const string Lone = "\\ud83c";
        var kept = Captured.Parse(
            $$$"""{"{{{Lone}}}":1,"token":"a","event":"e{{{Lone}}}","distinct_id":"d{{{Lone}}}","properties":{"$os":"{{{Lone}}}","{{{Lone}}}":[]}}""").Event;

        Assert.Equal(("e\ufffd", "d\ufffd", "$os=\ufffd;"), (kept.Name, kept.DistinctId, kept.Promoted));
    }

    [Fact]
    public void The_number_of_events_is_limited_and_the_last_allowed_one_is_taken()
    {
        string events = string.Join(',', Enumerable.Repeat("{\"event\":\"e\",\"distinct_id\":\"d\"}", 10_000));

        Assert.Equal(10_000, Captured.Parse($"{{\"batch\":[{events}],\"api_key\":\"a\"}}").Events.Count);
        Assert.Equal(RejectionReason.TooManyEvents, Captured.Parse($"{{\"batch\":[{events},7],\"api_key\":\"a\"}}").Reason);
    }

    [Fact]
    public void A_body_in_pieces_is_read_like_a_whole_one()
    {
        byte[] body = Encoding.UTF8.GetBytes(Captured.Batch(",\"uuid\":\"01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1\""));
        using var parser = new CaptureParser(new CaptureLimits { MaxBodyBytes = 1024 });
        for (int cut = 0; cut <= body.Length; cut++)
        {
            var pieces = Piece.Join(body.AsMemory(0, cut), body.AsMemory(cut));
            Assert.Equal("e", Captured.Read(parser, parser.Parse(pieces, default, Captured.Now)).Event.Name);
        }

        var large = Piece.Join(new byte[1000], new byte[25]);
        Assert.Equal(RejectionReason.BodyTooLarge, parser.Parse(large, default, Captured.Now)?.Reason);
    }

    [Fact]
    public void Nothing_of_a_request_is_left_for_the_next()
    {
        using var parser = new CaptureParser(new CaptureLimits());
        byte[] first = Encoding.UTF8.GetBytes(
            "{\"api_key\":\"phc_first\",\"historical_migration\":true,\"batch\":[{\"event\":\"e\",\"distinct_id\":\"d\"},{}]}");
        Assert.Null(parser.Parse(first, default, Captured.Now));
        Assert.Equal((1, 1), (parser.AcceptedCount, parser.RefusedCount));

        Assert.NotNull(parser.Parse("{\"batch\":[{}]}"u8.ToArray(), default, Captured.Now));
        Assert.Equal((0, 0, 0), (parser.AcceptedCount, parser.RefusedCount, parser.Refused.Count));
        Assert.True(parser.Token.IsEmpty);
        Assert.True(parser.Payload.IsEmpty);
    }

    [Theory]
    [InlineData("{\"distinct_id\":\"d\",\"token\":\"phc_a\"}", RejectionReason.None)]
    [InlineData("{\"api_key\":\"phc_a\",\"groups\":{\"token\":\"x\"}}", RejectionReason.None)]
    [InlineData("data=eyJ0b2tlbiI6InBoY19hIn0%3D", RejectionReason.None)]
    [InlineData("{\"api_key\":\"phc_a\",\"token\":\"phc_b\"}", RejectionReason.AmbiguousToken)]
    [InlineData("{}", RejectionReason.MissingToken)]
    [InlineData("[]", RejectionReason.BadShape)]
    [InlineData("{", RejectionReason.BadJson)]
    [InlineData("{\"token\":\"phx_a\"}", RejectionReason.PersonalKeyAsToken)]
    public void The_token_of_a_question_for_flags_is_found(string body, RejectionReason reason)
    {
        using var parser = new CaptureParser(new CaptureLimits());

        var rejection = parser.ParseToken(Encoding.UTF8.GetBytes(body), default);
        Assert.Equal(reason, rejection?.Reason ?? RejectionReason.None);
        Assert.Equal(reason == RejectionReason.None ? "phc_a" : "", Encoding.UTF8.GetString(parser.Token.Span));
    }

    [Fact]
    public void Limits_that_cannot_work_are_all_named()
    {
        Assert.Empty(new CaptureLimits().Errors());
        Assert.Equal(2, new CaptureLimits { MaxEventNameLength = 20_000, MaxEvents = 0 }.Errors().Count);
    }

    private static string Nested(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public static ReadOnlySequence<byte> Join(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
        {
            var end = new Piece { Memory = second, RunningIndex = first.Length };
            var start = new Piece { Memory = first, Next = end };
            return new ReadOnlySequence<byte>(start, 0, end, second.Length);
        }
    }
}
