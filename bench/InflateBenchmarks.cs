using System.IO.Compression;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Events;

namespace Gateway.Bench;

/// <summary>
/// What the strictness of our inflating costs: a body that was cut, or has junk behind it, is refused, which
/// <see cref="GZipStream"/> alone lets pass. Times are for an event.
/// </summary>
[MemoryDiagnoser]
public class InflateBenchmarks : IDisposable
{
    private const int Events = 100;

    private readonly CaptureLimits _limits = new();
    private readonly PooledBuffer _output = new();
    private readonly byte[] _plainOutput = new byte[1024 * 1024];
    private byte[] _body = [];
    private byte[] _gzip = [];

    /// <summary>Events in one body.</summary>
    [Params(1, Events)]
    public int Batch { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _body = SampleEvents.Body(Batch);
        _gzip = SampleEvents.Gzip(_body);
        Strict();
        SampleEvents.Require(_output.Written.SequenceEqual(_body));
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _output.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Events)]
    public void GZipStreamAlone()
    {
        for (int i = 0; i < Events / Batch; i++)
            SampleEvents.Require(Inflate(_gzip, _plainOutput) == _body.Length);
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public void Strict()
    {
        for (int i = 0; i < Events / Batch; i++)
        {
            _output.Truncate(0);
            var status = GzipBody.Inflate(_gzip, _output, _limits);
            SampleEvents.Require(status == InflateStatus.Whole && _output.Length == _body.Length);
        }
    }

    /// <summary>The least that inflating can cost on this runtime.</summary>
    internal static int Inflate(byte[] body, Span<byte> output)
    {
        using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        int length = 0;
        while (gzip.Read(output[length..]) is > 0 and int read) length += read;
        return length;
    }
}
