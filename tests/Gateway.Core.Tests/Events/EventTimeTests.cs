using System.Globalization;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>The clock of the tests stands at 2026-11-21 20:40:00 UTC.</summary>
public sealed class EventTimeTests
{
    [Theory]
    [InlineData("2026-11-21T20:33:44.858Z", "2026-11-21T20:33:44.858")]
    [InlineData("2026-11-21T20:33:44Z", "2026-11-21T20:33:44")]
    [InlineData("2026-11-21t20:33:44z", "2026-11-21T20:33:44")]
    [InlineData("2026-11-21T20:33:44.858123Z", "2026-11-21T20:33:44.858123")]
    [InlineData("2026-11-21T20:33:44.858123987Z", "2026-11-21T20:33:44.858123")]
    [InlineData("2026-11-21 20:33:44,5", "2026-11-21T20:33:44.5")]
    [InlineData("2026-11-21T20:33:44.973728+00:00", "2026-11-21T20:33:44.973728")]
    [InlineData("2026-11-21T20:33:44+02:30", "2026-11-21T18:03:44")]
    [InlineData("2026-11-21T20:33:44-0230", "2026-11-21T23:03:44")]
    [InlineData("2026-11-21T20:33:44+02", "2026-11-21T18:33:44")]
    [InlineData("2026-11-21T20:33:44 +02", "2026-11-21T18:33:44")]
    [InlineData("2026-11-21 20:33 UTC", "2026-11-21T20:33:00")]
    [InlineData("2026-11-21", "2026-11-21T00:00:00")]
    [InlineData("2026/11/21", "2026-11-21T00:00:00")]
    [InlineData("2026/1/2 03:04:05", "2026-01-02T03:04:05")]
    [InlineData("11/21/2026", "2026-11-21T00:00:00")]
    [InlineData(" 2026-11-21 ", "2026-11-21T00:00:00")]
    [InlineData("Sat, 21 Nov 2026 20:33:44 +0000", "2026-11-21T20:33:44")]
    [InlineData("21 Nov 2026 20:33:44 GMT", "2026-11-21T20:33:44")]
    [InlineData("Sat, 21 Nov 2026 20:33:44 EST", "2026-11-22T01:33:44")]
    [InlineData("Sat, 21 Nov 2026 20:33:44 PDT", "2026-11-22T03:33:44")]
    [InlineData("1795293224", "2026-11-21T20:33:44")]
    [InlineData("1795293224.5", "2026-11-21T20:33:44.5")]
    [InlineData("1795293224858", "2026-11-21T20:33:44.858")]
    [InlineData("1795293224858123", "2026-11-21T20:33:44.858123")]
    [InlineData("1795293224858123987", "2026-11-21T20:33:44.858123")]
    [InlineData("-86400", "1969-12-31T00:00:00")]
    [InlineData("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00")]
    [InlineData("2000-02-29", "2000-02-29T00:00:00")]
    [InlineData("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00")]
    [InlineData("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00")]
    public void A_timestamp_is_read_in_the_forms_that_clients_write(string text, string expected)
    {
        Assert.True(ClientTime.TryParse(Encoding.UTF8.GetBytes(text), out long micros));
        Assert.Equal(Micros(expected), micros);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("nonsense")]
    [InlineData("2026-13-01")]
    [InlineData("2026-02-29T00:00:00.000Z")]
    [InlineData("1900-02-29")]
    [InlineData("2026-11-21T24:00:00.000Z")]
    [InlineData("2026-11-21T20:60:00.000Z")]
    [InlineData("2026-11-21T20:33:61.000Z")]
    [InlineData("2026-11-21T20:3x:44.858Z")]
    [InlineData("2026-11-21T20:33:44.858Z!")]
    [InlineData("2026-11-21T20:33:44.")]
    [InlineData("2026-11-21T20:33:44+24:00")]
    [InlineData("2026-11-21T20:33:44 PST")]
    [InlineData("2026-11/21")]
    [InlineData("+275760-09-13T00:00:00.000Z")]
    [InlineData("21 Xov 2026 20:33:44 GMT")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e400")]
    [InlineData("1e25")]
    [InlineData("0x10")]
    public void Garbage_is_no_timestamp(string text) =>
        Assert.False(ClientTime.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void The_usual_form_is_read_as_the_framework_reads_it()
    {
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            var time = new DateTime(random.NextInt64(DateTime.MaxValue.Ticks / 10_000) * 10_000, DateTimeKind.Utc);
            string text = time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

            Assert.True(ClientTime.TryParse(Encoding.ASCII.GetBytes(text), out long micros));
            Assert.Equal((time - DateTime.UnixEpoch).Ticks / 10, micros);
        }
    }

    [Theory]
    [InlineData("", "", "2026-11-21T20:40:00")]
    [InlineData(",\"timestamp\":\"2026-11-21T20:33:44.858Z\"", "", "2026-11-21T20:33:44.858")]
    [InlineData(",\"timestamp\":1795293224", "", "2026-11-21T20:33:44")]
    [InlineData(",\"timestamp\":\"nonsense\"", "", "2026-11-21T20:40:00")]
    [InlineData(",\"timestamp\":\"2026-11-22T19:40:00Z\"", "", "2026-11-22T19:40:00")]
    [InlineData(",\"timestamp\":\"2026-11-22T19:40:00.001Z\"", "", "2026-11-21T20:40:00")]
    [InlineData(",\"timestamp\":\"1066-10-14T09:00:00Z\"", "", "1900-01-01T00:00:00")]
    [InlineData(",\"offset\":5000", "", "2026-11-21T20:39:55")]
    [InlineData(",\"offset\":5000,\"timestamp\":\"2026-01-01T00:00:00Z\"", "", "2026-11-21T20:39:55")]
    [InlineData(",\"offset\":-90000000", "", "2026-11-21T20:40:00")]
    [InlineData(",\"offset\":1e300", "", "1900-01-01T00:00:00")]
    [InlineData(",\"offset\":\"5000\"", "", "2026-11-21T20:40:00")]
    [InlineData(",\"timestamp\":\"2026-11-21T19:30:00Z\"", "2026-11-21T19:40:00Z", "2026-11-21T20:30:00")]
    [InlineData(",\"timestamp\":\"2026-11-21T20:30:00Z\"", "2026-11-21T20:39:00Z", "2026-11-21T20:30:00")]
    [InlineData(",\"timestamp\":\"2026-11-21T20:30:00Z\"", "2026-11-21T20:38:59Z", "2026-11-21T20:31:01")]
    [InlineData(",\"timestamp\":\"2026-11-21T20:30:00Z\"", "2026-11-21T20:41:01Z", "2026-11-21T20:28:59")]
    [InlineData(",\"timestamp\":\"2030-11-21T20:30:00Z\"", "2030-11-21T20:40:00Z", "2026-11-21T20:30:00")]
    [InlineData(",\"timestamp\":\"2026-11-21T20:30:00Z\"", "garbage", "2026-11-21T20:30:00")]
    [InlineData(",\"offset\":5000,\"timestamp\":\"2026-01-01T00:00:00Z\"", "2026-11-21T19:40:00Z", "2026-11-21T20:39:55")]
    [InlineData(",\"timestamp\":\"2026-11-21T19:30:00Z\",\"properties\":{\"$ignore_sent_at\":true}", "2026-11-21T19:40:00Z", "2026-11-21T19:30:00")]
    [InlineData(",\"timestamp\":\"2026-11-21T19:30:00Z\",\"properties\":{\"$ignore_sent_at\":1}", "2026-11-21T19:40:00Z", "2026-11-21T20:30:00")]
    public void The_shown_time_follows_the_clocks(string fields, string sentAt, string expected)
    {
        string top = sentAt.Length == 0 ? "" : $",\"sent_at\":\"{sentAt}\"";

        Assert.Equal(Micros(expected), Captured.Parse(Captured.Batch(fields, top)).Event.Timestamp);
    }

    [Theory]
    [InlineData("_=1795290000000", "2026-11-21T20:30:00")]
    [InlineData("?ip=0&sent_at=1795290000000", "2026-11-21T20:30:00")]
    [InlineData("_=1500000000000", "2026-11-21T19:30:00")]
    [InlineData("_=x", "2026-11-21T19:30:00")]
    [InlineData("_=999999999999999999", "2026-11-21T19:30:00")]
    public void The_query_may_say_when_it_was_sent(string query, string expected)
    {
        string body = Captured.Batch(",\"timestamp\":\"2026-11-21T19:30:00Z\"");

        Assert.Equal(Micros(expected), Captured.Parse(body, query).Event.Timestamp);
    }

    [Theory]
    [InlineData(",\"timestamp\":\"2026-11-21T23:59:59.999Z\"", "2026-11-21")]
    [InlineData(",\"timestamp\":\"2026-11-21T23:59:59-01:00\"", "2026-11-22")]
    [InlineData(",\"timestamp\":\"2040-01-02T00:00:00Z\"", "2040-01-02")]
    [InlineData(",\"timestamp\":\"1066-10-14T09:00:00Z\"", "1970-01-01")]
    [InlineData(",\"timestamp\":\"1969-12-31T23:59:59.999Z\"", "1970-01-01")]
    [InlineData(",\"timestamp\":\"2149-06-06T23:00:00Z\"", "2149-06-06")]
    [InlineData(",\"timestamp\":\"9999-12-31T00:00:00Z\"", "2149-06-06")]
    [InlineData(",\"timestamp\":\"2026-01-02T00:00:00Z\",\"offset\":5000,\"uuid\":\"01a1ffcb-91f5-7b65-b5dd-f1e6ac2461a1\"", "2026-01-02")]
    [InlineData(",\"offset\":5000,\"uuid\":\"0197ffcb-91f5-7b65-b5dd-f1e6ac2461a1\"", "2025-07-12")]
    [InlineData(",\"timestamp\":\"nonsense\",\"uuid\":\"0197ffcb-91f5-7b65-b5dd-f1e6ac2461a1\"", "2025-07-12")]
    [InlineData(",\"uuid\":\"ffffffff-ffff-7fff-bfff-ffffffffffff\"", "2149-06-06")]
    [InlineData(",\"uuid\":\"b813f15d-8bed-402a-bcfd-7c13891e199a\"", "1970-01-01")]
    [InlineData(",\"uuid\":\"0197ffcb-91f5-7b65-75dd-f1e6ac2461a1\"", "1970-01-01")]
    [InlineData("", "1970-01-01")]
    public void The_day_rests_only_on_what_a_retry_repeats(string fields, string expected)
    {
        // Two clocks' corrections, and none: the day is the same.
        foreach (string sentAt in (string[])["2026-11-21T20:40:00Z", "2026-11-22T20:40:00Z", "2020-01-01T00:00:00Z", "x"])
        {
            var kept = Captured.Parse(Captured.Batch(fields, $",\"sent_at\":\"{sentAt}\"")).Event;
            Assert.Equal(Micros(expected) / EventTime.MicrosPerDay, kept.Day);
        }
    }

    private static long Micros(string time) =>
        (DateTime.Parse(time, CultureInfo.InvariantCulture) - DateTime.UnixEpoch).Ticks / 10;
}
