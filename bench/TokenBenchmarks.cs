using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Tokens;

namespace Gateway.Bench;

/// <summary>
/// What a request pays for its token when no database is asked: a hit in tables of three sizes, a token known to be
/// unknown, and garbage refused by its MAC.
/// </summary>
[MemoryDiagnoser]
public class TokenBenchmarks
{
    private const int MostAsked = 65_536;

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
        // Asked for one after the other, but they lie anywhere in the table: a hit in a large one is a cache miss.
        var random = new Random(2);
        _asked = Math.Min(Tokens, MostAsked);
        _known = new byte[_asked * TokenFormat.Length];
        var table = Fill(Tokens, (number, token) =>
        {
            int place = number < _asked ? number : random.Next(number + 1);
            if (place < _asked) token.CopyTo(_known, place * TokenFormat.Length);
        });

        _unknown = Encoding.ASCII.GetBytes(_format.NewProjectToken());
        SampleEvents.Require(table.TryLearn(_unknown, new TokenReading(null, default), out _, out _));
        _mistyped = [.. _unknown];
        _mistyped[20] = _mistyped[20] == (byte)'a' ? (byte)'b' : (byte)'a';
        _tokens = new TokenCheck(_format, table, null!, null!);
    }

    [Benchmark(Baseline = true)]
    public TokenState Hit()
    {
        if (++_next == _asked) _next = 0;
        return Check(_known.AsSpan(_next * TokenFormat.Length, TokenFormat.Length), TokenState.Live);
    }

    [Benchmark]
    public TokenState KnownToBeUnknown() => Check(_unknown, TokenState.Unknown);

    [Benchmark]
    public TokenState RefusedByMac() => Check(_mistyped, TokenState.Mistyped);

    /// <summary>How many bytes a table of so many tokens keeps alive.</summary>
    internal static long Weigh(int tokens)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var table = Fill(tokens, (_, _) => { });
        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        SampleEvents.Require(table.Count == tokens);
        return bytes;
    }

    private static TokenTable Fill(int tokens, Action<int, byte[]> added)
    {
        var table = new TokenTable();
        table.Load(new TokenChanges([], default, [], HasGap: false));
        var random = new Random(1);
        for (int i = 0; i < tokens; i++)
        {
            byte[] token = Encoding.ASCII.GetBytes("phc_" + random.GetString("0123456789abcdefghijABCDEFGHIJ", 49));
            var row = new TokenRow(i, (ulong)i, token, IsImported: false, IsLive: true);
            SampleEvents.Require(table.TryLearn(token, new TokenReading(row, default), out _, out _));
            added(i, token);
        }

        return table;
    }

    private TokenState Check(ReadOnlySpan<byte> token, TokenState expected)
    {
        SampleEvents.Require(_tokens.TryCheck(token, out var lookup) && lookup.State == expected);
        return lookup.State;
    }
}
