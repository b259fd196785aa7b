using BenchmarkDotNet.Attributes;
using Gateway.Core.Events;
using Gateway.Core.Shipping;

namespace Gateway.Bench;

/// <summary>
/// From journal records in memory to one Native block, beside copying the same payloads once; the time is that of one
/// event.
/// </summary>
[MemoryDiagnoser]
[OperationsPerSecond]
public class BlockBenchmarks
{
    private const int Events = 20_000;

    private readonly EventBlock _block = new(Guid.NewGuid());
    private byte[] _payload = [];
    private byte[] _copies = [];
    private long _expectedBytes;

    /// <summary>Events in one request, and so in one record.</summary>
    [Params(1, 100)]
    public int Batch { get; set; }

    [Params(1, 50)]
    public int Projects { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = SampleEvents.Payload(Batch);
        _copies = new byte[Events / Batch * _payload.Length];
        _expectedBytes = Build();
        SampleEvents.Require(_block.Rows == Events && EventPayload.Count(_payload).Events == Batch);
        SampleEvents.Require(_expectedBytes > Events * 400L);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Events)]
    public int Copy()
    {
        int length = 0;
        for (int i = 0; i < Events / Batch; i++, length += _payload.Length)
            _payload.CopyTo(_copies.AsSpan(length));
        SampleEvents.Require(length == _copies.Length);
        return length;
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public long Build()
    {
        _block.Clear();
        for (int i = 0; i < Events / Batch; i++) _block.Add((ulong)i, (ulong)(i * 31 % Projects), i, _payload);
        long bytes = _block.Write(0, _block.Rows).Length;
        SampleEvents.Require(_expectedBytes == 0 || bytes == _expectedBytes);
        return bytes;
    }
}
