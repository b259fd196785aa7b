using System.IO.Compression;
using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Events;

namespace Gateway.Bench;

/// <summary>
/// What parsing costs beside the two things that cannot be saved: inflating the body and walking its JSON once. Times
/// of the batches are for an event of them.
/// </summary>
[MemoryDiagnoser]
public class ParseBenchmarks : IDisposable
{
    private const int EventsInBatch = 100;
    private const long Now = 1_795_293_600_000_000;

    private readonly CaptureParser _parser = new(new CaptureLimits());
    private readonly byte[] _inflated = new byte[1024 * 1024];
    private byte[] _json = [];
    private byte[] _gzip = [];
    private byte[] _single = [];

    [GlobalSetup]
    public void Setup()
    {
        string[] events = [.. Enumerable.Range(0, EventsInBatch).Select(Event)];
        _json = Encoding.UTF8.GetBytes(Batch(string.Join(',', events)));
        _single = Encoding.UTF8.GetBytes(Batch(events[0]));

        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal)) gzip.Write(_json);
        _gzip = output.ToArray();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _parser.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = EventsInBatch)]
    public void InflateAlone() => Require(Inflate() == _json.Length);

    [Benchmark(OperationsPerInvoke = EventsInBatch)]
    public void WalkAlone() => Walk(_json);

    [Benchmark(Baseline = true, OperationsPerInvoke = EventsInBatch)]
    public void InflateAndWalk() => Walk(_inflated.AsSpan(0, Inflate()));

    [Benchmark(OperationsPerInvoke = EventsInBatch)]
    public void ParseBatch() => Parse(_json, EventsInBatch);

    [Benchmark(OperationsPerInvoke = EventsInBatch)]
    public void ParseGzipBatch() => Parse(_gzip, EventsInBatch);

    [Benchmark]
    public void ParseSingle() => Parse(_single, 1);

    private void Parse(byte[] body, int events)
    {
        var rejection = _parser.Parse(body, new RequestFacts { ClientIp = "203.0.113.7"u8 }, Now);
        Require(rejection is null && _parser.AcceptedCount == events);
    }

    private int Inflate()
    {
        using var gzip = new GZipStream(new MemoryStream(_gzip), CompressionMode.Decompress);
        int length = 0;
        while (gzip.Read(_inflated.AsSpan(length)) is > 0 and int read) length += read;
        return length;
    }

    private static void Walk(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        int tokens = 0;
        while (reader.Read()) tokens++;
        Require(tokens > 10);
    }

    private static void Require(bool isRight)
    {
        if (!isRight) throw new InvalidOperationException("The benchmark timed a failure.");
    }

    private static string Batch(string events) =>
        $$"""
        {"api_key":"phc_testtokentesttokentesttokentesttokentest12","batch":[{{events}}],
        "sent_at":"2026-11-21T20:39:44.858Z"}
        """.ReplaceLineEndings("");

    /// <summary>435 bytes, as a browser's small event.</summary>
    private static string Event(int index) =>
        $$"""
        {"uuid":"01a1ffcb-91f5-7b65-b5dd-f1e6ac2461{{index:x2}}","event":"order placed",
        "properties":{"distinct_id":"user_{{index}}","$current_url":"https://shop.example/checkout?step={{index}}",
        "$host":"shop.example","$pathname":"/checkout","$browser":"Chrome","$os":"Linux","$lib":"web",
        "$session_id":"01a1ffcb-91f5-7b65-b5dd-f1e6ac24{{index:x4}}","plan":"pro","amount":{{index}}.50,
        "items":[{"sku":"a{{index}}","n":2}]},"timestamp":"2026-11-21T20:39:{{index % 60:00}}.858Z"}
        """.ReplaceLineEndings("");
}
