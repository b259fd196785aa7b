using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Tokens;

namespace Gateway.Bench;

/// <summary>
/// What a request pays for its token when no database is asked: a hit in tables of three sizes, a token known to be
/// unknown, and garbage refused by its MAC. Throws when it would time a wrong answer.
/// </summary>
[MemoryDiagnoser]
public class TokenBenchmarks
{
    private const int Asked = 1024;

    private readonly TokenFormat _format = new(new byte[TokenFormat.SecretBytes]);
    private readonly byte[][] _known = new byte[Asked][];
    private TokenCheck _tokens = null!;
    private byte[] _unknown = [];
    private byte[] _mistyped = [];
    private int _next;

    [Params(1_000, 100_000, 1_000_000)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var table = new TokenTable();
        table.Load([], epoch: 0);
        var random = new Random(1);
        for (int i = 0; i < Tokens; i++)
        {
            byte[] token = Encoding.ASCII.GetBytes("phc_" + random.GetString("0123456789abcdefghijABCDEFGHIJ", 49));
            var row = new TokenRow(i, (ulong)i, token, IsImported: false, IsLive: true);
            Require(table.TryLearn(token, new TokenReading(row, 0), out _));

            // Asked for in another order than they were made: a hit in a large table is a cache miss.
            int place = random.Next(i + 1);
            if (i < Asked || place < Asked) _known[i < Asked ? i : place] = token;
        }

        _unknown = Encoding.ASCII.GetBytes(_format.NewProjectToken());
        Require(table.TryLearn(_unknown, new TokenReading(null, 0), out _));
        _mistyped = [.. _unknown];
        _mistyped[20] = _mistyped[20] == (byte)'a' ? (byte)'b' : (byte)'a';
        _tokens = new TokenCheck(_format, table, null!, null!);
    }

    [Benchmark(Baseline = true)]
    public TokenState Hit()
    {
        byte[] token = _known[_next++ & (Asked - 1)];
        Require(_tokens.TryCheck(token, out var lookup) && lookup.State == TokenState.Live);
        return lookup.State;
    }

    [Benchmark]
    public TokenState KnownToBeUnknown()
    {
        Require(_tokens.TryCheck(_unknown, out var lookup) && lookup.State == TokenState.Unknown);
        return lookup.State;
    }

    [Benchmark]
    public TokenState RefusedByMac()
    {
        Require(_tokens.TryCheck(_mistyped, out var lookup) && lookup.State == TokenState.Mistyped);
        return lookup.State;
    }

    private static void Require(bool condition)
    {
        if (!condition) throw new InvalidOperationException("The benchmark would time a wrong answer.");
    }
}
