using System.Diagnostics;
using System.Text;
using Gateway.Core.Tokens;
using Gateway.LoadTests.Reports;

namespace Gateway.LoadTests.Scenarios;

/// <summary>
/// What a request pays for its token before anybody else is asked, in a table of 100 000 tokens. A clock takes as long
/// to read as a token to find, so it is read once for each batch, and percentiles are those of batches. There are no
/// rates: next to what a check takes, any pace that a clock can keep is idle.
/// </summary>
internal sealed class TokenCheckInProcess
{
    private const int Tokens = 100_000;
    private const int Asked = 65_536;
    private const int Dead = 4_096;
    private const int Batch = 128;
    private const int Batches = 20_000;

    // A MAC is fifty times the work.
    private const int MacBatches = 2_000;

    private readonly TokenFormat _format = new(new byte[TokenFormat.SecretBytes]);
    private readonly TokenTable _table = new();
    private readonly TokenCheck _check;

    // Token after token. They are asked for in this order, but lie anywhere in the table.
    private readonly byte[] _live;
    private readonly byte[] _unknown;
    private readonly byte[] _revoked;

    private TokenCheckInProcess()
    {
        _check = new TokenCheck(_format, _table, null!, null!);
        _table.Load(new TokenChanges([], default, [], HasGap: false));
        _live = LearnLive();
        _unknown = LearnUnknown();
        _revoked = Revoke();
    }

    public static ScenarioReport Run()
    {
        var all = new TokenCheckInProcess();
        byte[] mistyped = [.. all._live.AsSpan(0, Dead * TokenFormat.Length)];
        for (int i = 20; i < mistyped.Length; i += TokenFormat.Length)
            mistyped[i] = mistyped[i] == 'a' ? (byte)'b' : (byte)'a';
        return new ScenarioReport(
            "Token check in process",
            $"The same without HTTP, among {Tokens} tokens, in batches of {Batch} between two looks at the clock; at "
            + "no rate, since tens of nanoseconds have no queue. One that was just revoked is out of the table: its "
            + "MAC is right, and Redis or the database is asked next, which is not part of this.",
            [
                Row("token hit", all.Time(all._live, Batches, TokenState.Live)),
                Row("token known to be unknown", all.Time(all._unknown, Batches, TokenState.Unknown)),
                Row("token refused by its MAC", all.Time(mistyped, MacBatches, TokenState.Mistyped)),
                Row("token just revoked", all.Time(all._revoked, MacBatches, expected: null)),
            ])
        {
            IsInNanoseconds = true,
        };
    }

    /// <summary>The median of a hit, for people.</summary>
    public static string DescribeHit()
    {
        var all = new TokenCheckInProcess();
        long median = all.Time(all._live, Batches, TokenState.Live).Latency.Nanoseconds(0.5);
        return $"p50 {median} ns, of {Batches} batches of {Batch} hits among {Tokens} tokens";
    }

    private static ReportRow Row(string name, Measurement measured) =>
        new(name, Asked: null, measured) { Note = $"of batches of {Batch}" };

    private byte[] LearnLive()
    {
        var random = new Random(1);
        byte[] asked = new byte[Asked * TokenFormat.Length];
        for (int i = 0; i < Tokens; i++)
        {
            byte[] token = Encoding.ASCII.GetBytes("phc_" + random.GetString("0123456789abcdefghijABCDEFGHIJ", 49));
            Learn(token, new TokenRow(i, (ulong)i, token, IsImported: false, IsLive: true));
            int place = i < Asked ? i : random.Next(i + 1);
            if (place < Asked) token.CopyTo(asked, place * TokenFormat.Length);
        }

        return asked;
    }

    private byte[] LearnUnknown()
    {
        byte[][] tokens = [.. Enumerable.Range(0, Dead).Select(_ => NewToken())];
        foreach (byte[] token in tokens) Learn(token, row: null);

        // Some have pushed others out.
        return [.. tokens.Where(token => _table.IsUnknown(token)).SelectMany(token => token)];
    }

    private byte[] Revoke()
    {
        TokenRow[] rows =
        [
            .. Enumerable.Range(Tokens, Dead)
                .Select(i => new TokenRow(i, (ulong)i, NewToken(), IsImported: false, IsLive: true)),
        ];
        foreach (var row in rows) Learn(row.Token, row);
        TokenRow[] dead = [.. rows.Select(row => row with { IsLive = false })];
        _table.Apply(new TokenChanges(dead, new EpochStamp(1, 1), [], HasGap: false));
        return [.. rows.SelectMany(row => row.Token)];
    }

    private byte[] NewToken() => Encoding.ASCII.GetBytes(_format.NewProjectToken());

    private void Learn(byte[] token, TokenRow? row) =>
        Require(_table.TryLearn(token, new TokenReading(row, default), out _, out _));

    /// <param name="tokens">Asked for in turn.</param>
    /// <param name="batches">How many.</param>
    /// <param name="expected">What is known of them; null: that somebody else is to be asked.</param>
    private Measurement Time(byte[] tokens, int batches, TokenState? expected)
    {
        // The first round is for the compiler.
        var measured = new Measurement();
        for (int round = 0; round < 2; round++)
        {
            measured = new Measurement();
            TimeBatches(tokens, batches, expected, measured);
        }

        return measured;
    }

    private void TimeBatches(byte[] tokens, int batches, TokenState? expected, Measurement measured)
    {
        var state = expected ?? TokenState.Unknown;
        int next = 0;
        for (int batch = 0; batch < batches; batch++)
        {
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < Batch; i++)
            {
                bool isAnswered = _check.TryCheck(tokens.AsSpan(next, TokenFormat.Length), out var lookup);
                Require(lookup.State == state && isAnswered == expected.HasValue);
                next += TokenFormat.Length;
                if (next == tokens.Length) next = 0;
            }

            measured.Latency.Record((long)(Stopwatch.GetElapsedTime(started).TotalNanoseconds / Batch));
        }
    }

    private static void Require(bool condition)
    {
        if (!condition) throw new InvalidOperationException("It would time a wrong answer.");
    }
}
