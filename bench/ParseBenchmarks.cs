using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Events;

namespace Gateway.Bench;

/// <summary>
/// What a body costs from its bytes as sent to a payload for the journal, beside what cannot be saved: inflating it, if
/// it is gzip, and walking its JSON once. Times are for an event.
/// </summary>
[MemoryDiagnoser]
public class ParseBenchmarks : IDisposable
{
    private const int Events = 100;
    private const int WideProperties = 500;

    private readonly CaptureParser _parser = new(new CaptureLimits());
    private readonly byte[] _inflated = new byte[1024 * 1024];
    private byte[] _body = [];
    private bool _isGzip;
    private int _batch;
    private int _jsonTokens;
    private int _payloadBytes;

    public enum Shape
    {
        OneEvent,
        OneEventGzip,
        Batch100,
        Batch100Gzip,
        Deep,
        Wide500,
    }

    [ParamsAllValues]
    public Shape Body { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _isGzip = Body is Shape.OneEventGzip or Shape.Batch100Gzip;
        _batch = Body is Shape.Batch100 or Shape.Batch100Gzip ? Events : 1;
        byte[] json = Body switch
        {
            Shape.Deep => SampleEvents.DeepBody(),
            Shape.Wide500 => SampleEvents.WideBody(WideProperties),
            _ => SampleEvents.Body(_batch),
        };
        _body = _isGzip ? SampleEvents.Gzip(json) : json;
        _jsonTokens = Walk(json);

        ParseBody();
        _payloadBytes = _parser.Payload.Length;
        CheckPayload(json);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _parser.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Events)]
    public void InflateAndWalk()
    {
        for (int i = 0; i < Events / _batch; i++)
        {
            ReadOnlySpan<byte> json = _body;
            if (_isGzip) json = _inflated.AsSpan(0, InflateBenchmarks.Inflate(_body, _inflated));
            SampleEvents.Require(Walk(json) == _jsonTokens);
        }
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public void Parse()
    {
        for (int i = 0; i < Events / _batch; i++)
        {
            ParseBody();
            SampleEvents.Require(_parser.Payload.Length == _payloadBytes);
        }
    }

    private void ParseBody()
    {
        var rejection = _parser.Parse(_body, new RequestFacts { ClientIp = "203.0.113.7"u8 }, SampleEvents.Now);
        SampleEvents.Require(rejection is null && _parser.AcceptedCount == _batch);
    }

    private static int Walk(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        int tokens = 0;
        while (reader.Read()) tokens++;
        return tokens;
    }

    /// <summary>Each row has its event's properties, byte for byte.</summary>
    private void CheckPayload(byte[] json)
    {
        using var sent = JsonDocument.Parse(json);
        var events = sent.RootElement.GetProperty("batch").EnumerateArray();
        var reader = new EventPayloadReader(_parser.Payload.Span);
        foreach (var sentEvent in events)
        {
            SampleEvents.Require(reader.TryReadRow(out var row));
            string properties = sentEvent.GetProperty("properties").GetRawText();
            SampleEvents.Require(System.Text.Encoding.UTF8.GetString(new EventRow(row).Properties) == properties);
        }
    }
}
