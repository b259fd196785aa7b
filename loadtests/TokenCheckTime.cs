using System.Diagnostics;
using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.LoadTests;

/// <summary>
/// What a request pays for a token that its gateway has seen: hits in a table of 100 000 tokens. A clock takes as long
/// to read as a token to find, so it is read once for each batch, and the median is that of batches.
/// </summary>
internal static class TokenCheckTime
{
    private const int Tokens = 100_000;
    private const int Asked = 65_536;
    private const int Batch = 128;
    private const int Batches = 20_000;

    /// <summary>The median, for people.</summary>
    public static string Measure()
    {
        byte[] known = new byte[Asked * TokenFormat.Length];
        var check = Fill(known);

        // The first round is for the compiler.
        double[] nanoseconds = [];
        for (int round = 0; round < 2; round++) nanoseconds = Time(check, known);
        Array.Sort(nanoseconds);
        return $"p50 {nanoseconds[Batches / 2]:0} ns, of {Batches} batches of {Batch} hits among {Tokens} tokens";
    }

    private static TokenCheck Fill(byte[] known)
    {
        var table = new TokenTable();
        table.Load(new TokenChanges([], default, [], HasGap: false));
        var random = new Random(1);
        for (int i = 0; i < Tokens; i++)
        {
            byte[] token = Encoding.ASCII.GetBytes("phc_" + random.GetString("0123456789abcdefghijABCDEFGHIJ", 49));
            var row = new TokenRow(i, (ulong)i, token, IsImported: false, IsLive: true);
            Require(table.TryLearn(token, new TokenReading(row, default), out _, out _));

            // Asked for one after the other, but they lie anywhere in the table.
            int place = i < Asked ? i : random.Next(i + 1);
            if (place < Asked) token.CopyTo(known, place * TokenFormat.Length);
        }

        return new TokenCheck(new TokenFormat(new byte[TokenFormat.SecretBytes]), table, null!, null!);
    }

    private static double[] Time(TokenCheck check, byte[] known)
    {
        double[] nanoseconds = new double[Batches];
        int next = 0;
        for (int batch = 0; batch < Batches; batch++)
        {
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < Batch; i++)
            {
                var token = known.AsSpan(next * TokenFormat.Length, TokenFormat.Length);
                Require(check.TryCheck(token, out var lookup) && lookup.State == TokenState.Live);
                if (++next == Asked) next = 0;
            }

            nanoseconds[batch] = Stopwatch.GetElapsedTime(started).TotalNanoseconds / Batch;
        }

        return nanoseconds;
    }

    private static void Require(bool condition)
    {
        if (!condition) throw new InvalidOperationException("It would time a wrong answer.");
    }
}
