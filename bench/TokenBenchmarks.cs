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
    private readonly TokenFormat _format = new(new byte[TokenFormat.SecretBytes]);
    private byte[] _known = [];
    private int _asked;
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
        table.Load(new TokenChanges([], default, [], HasGap: false));
        var random = new Random(1);

        // Asked for one after the other, but they lie anywhere in the table: a hit in a large one is a cache miss.
        _asked = Math.Min(Tokens, 65_536);
        _known = new byte[_asked * TokenFormat.Length];
        for (int i = 0; i < Tokens; i++)
        {
            byte[] token = Encoding.ASCII.GetBytes("phc_" + random.GetString("0123456789abcdefghijABCDEFGHIJ", 49));
            var row = new TokenRow(i, (ulong)i, token, IsImported: false, IsLive: true);
            Require(table.TryLearn(token, new TokenReading(row, default), out _, out _));

            int place = i < _asked ? i : random.Next(i + 1);
            if (place < _asked) token.CopyTo(_known, place * TokenFormat.Length);
        }

        _unknown = Encoding.ASCII.GetBytes(_format.NewProjectToken());
        Require(table.TryLearn(_unknown, new TokenReading(null, default), out _, out _));
        _mistyped = [.. _unknown];
        _mistyped[20] = _mistyped[20] == (byte)'a' ? (byte)'b' : (byte)'a';
        _tokens = new TokenCheck(_format, table, null!, null!);
    }

    [Benchmark(Baseline = true)]
    public TokenState Hit()
    {
        if (++_next == _asked) _next = 0;
        var token = _known.AsSpan(_next * TokenFormat.Length, TokenFormat.Length);
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
