using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Gateway.Capture;
using Gateway.Core;
using Gateway.Core.Events;
using Gateway.Core.Tests.Events;
using Gateway.LoadTests.Clients;
using Gateway.Tests.Running;

namespace Gateway.Tests.Fuzz;

/// <summary>
/// Requests of <see cref="FuzzSource"/> by number: some at the parser, some over kept connections at a real gateway,
/// each compared with what the reference reads.
/// </summary>
/// <param name="slowAfter">A request that takes longer hangs.</param>
internal sealed class FuzzRun(TimeSpan slowAfter)
{
    /// <summary>Small, so that every one of them is met often.</summary>
    public static readonly CaptureLimits Limits = new()
    {
        MaxBodyBytes = 64 << 10,
        MaxEventBytes = 4 << 10,
        MaxEvents = 8,
    };

    /// <summary>The same, as a gateway is told.</summary>
    public static readonly (string Key, string Value)[] Settings =
    [
        ("Gateway:Limits:BodyBytes", $"{64 << 10}"),
        ("Gateway:Limits:EventBytes", $"{4 << 10}"),
        ("Gateway:Limits:BatchEvents", "8"),
    ];

    private const int MostQuery = 60_000;
    private const int MostTold = 20;

    private static readonly string[] Paths = ["/e/", "/batch/", "/i/v0/e/", "/capture", "/track/", "/i/v0/e"];

    private readonly FuzzSource _source = new(GatewayProcess.ProjectToken);
    private readonly ConcurrentQueue<string> _violations = new();
    private long _bodies;
    private long _accepted;
    private long _refused;
    private long _failed;
    private long _slow;
    private long _different;

    /// <summary>What the table must show of what was sent to a gateway.</summary>
    public ExpectedStore Expected { get; } = new();

    public long Bodies => Interlocked.Read(ref _bodies);

    public long Accepted => Interlocked.Read(ref _accepted);

    public bool IsClean => _failed + _slow + _different == 0;

    /// <summary>The first of them, with the number that makes each again.</summary>
    public string Violations => string.Join("\n\n", _violations);

    public string Figures =>
        $"bodies {Bodies}, accepted {Accepted}, refused {_refused}, 5xx {_failed}, slow {_slow}, different {_different}";

    /// <summary>At the parser, in this process.</summary>
    public Task ParseAsync(long first, long count, int workers) => Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(() =>
    {
        using var parser = new CaptureParser(Limits);
        for (long number = first + worker; number < first + count; number += workers) Parse(parser, number);
    })));

    /// <summary>Over HTTP, each worker with a connection of its own and one request at a time.</summary>
    public Task PostAsync(Uri gateway, long first, long count, int workers) => Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(async () =>
    {
        using var connection = new LeanConnection(gateway);
        for (long number = first + worker; number < first + count; number += workers) await PostAsync(connection, number);
    })));

    /// <summary>What is stored may differ from what was accepted, too.</summary>
    public void AddDifferences(IEnumerable<string> differences)
    {
        foreach (string difference in differences) Violate(ref _different, difference);
    }

    private void Parse(CaptureParser parser, long number)
    {
        var request = _source.Make(number);
        long began = Stopwatch.GetTimestamp();
        try
        {
            string? difference = request.Compare(parser, Limits);
            if (difference is not null) Violate(ref _different, $"number {number}: {difference}\n{request}");
        }
        catch (Exception error)
        {
            Violate(ref _failed, $"number {number}: {error}\n{request}");
        }

        Count(!parser.Payload.IsEmpty, number, began);
    }

    private async Task PostAsync(LeanConnection connection, long number)
    {
        var request = _source.Make(number);
        if (request.Query.Length > MostQuery) request = request with { Query = "" };

        var sent = request.Read(Limits, Now());
        long began = Stopwatch.GetTimestamp();
        try
        {
            using var limit = new CancellationTokenSource(10 * slowAfter);
            var answer = await connection.SendAsync(Bytes(request, number), limit.Token);
            Check(number, request, sent, answer);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            Violate(ref _failed, $"number {number}: {error.Message}\n{request}");
        }

        Count(sent.Reason == RejectionReason.None, number, began);
    }

    private void Check(long number, FuzzRequest request, ReferenceCapture sent, LeanAnswer answer)
    {
        string body = Encoding.UTF8.GetString(answer.Body.Span);
        if (answer.Status >= 500)
        {
            Violate(ref _failed, $"number {number}: {answer.Status} {body}\n{request}");
            return;
        }

        if (sent.Reason == RejectionReason.None && sent.Token == GatewayProcess.ProjectToken && answer.Status == 200)
        {
            Expected.Add(number, sent, request.Read(Limits, Now()));
            if (RefusedOf(body) == sent.Refusals.Count) return;
        }
        else if (IsExpected(sent, answer.Status, body))
        {
            return;
        }

        Violate(ref _different, $"number {number}: {sent.Reason}, but {answer.Status} {body}\n{request}");
    }

    private static bool IsExpected(ReferenceCapture sent, int status, string body)
    {
        // A well-shaped token that is not the project's: which of the two answers is for the MAC to say.
        RejectionReason[] may = sent.Reason == RejectionReason.None && sent.Token != GatewayProcess.ProjectToken
            ? [RejectionReason.UnknownToken, RejectionReason.MistypedToken]
            : [.. Enum.GetValues<RejectionReason>().Where(actual => FuzzRequest.AreAlike(sent.Reason, actual))];
        string? code = status == 200 ? null : JsonDocument.Parse(body).RootElement.GetProperty("code").GetString();
        return may.Any(reason => RejectionStatus.Of(reason).Status == status && RejectionStatus.Code(reason) == code);
    }

    private static int RefusedOf(string body) =>
        JsonDocument.Parse(body).RootElement.TryGetProperty("refused_count", out var count) ? count.GetInt32() : 0;

    private static byte[] Bytes(FuzzRequest request, long number)
    {
        string path = request.IsEngage ? "/engage/" : Paths[number % Paths.Length];
        var head = new StringBuilder("POST ").Append(path);
        if (request.Query.Length > 0) head.Append('?').Append(request.Query);
        head.Append(" HTTP/1.1\r\nHost: x\r\nContent-Length: ").Append(request.Body.Length);
        if (request.ContentType.Length > 0) head.Append("\r\nContent-Type: ").Append(request.ContentType);
        if (request.ContentEncoding.Length > 0) head.Append("\r\nContent-Encoding: ").Append(request.ContentEncoding);
        return [.. Encoding.ASCII.GetBytes(head.Append("\r\n\r\n").ToString()), .. request.Body];
    }

    private void Count(bool accepted, long number, long began)
    {
        var took = Stopwatch.GetElapsedTime(began);
        if (took > slowAfter) Violate(ref _slow, $"number {number} took {took.TotalSeconds:0.0} s");
        Interlocked.Increment(ref _bodies);
        Interlocked.Increment(ref accepted ? ref _accepted : ref _refused);
    }

    private void Violate(ref long count, string what)
    {
        if (Interlocked.Increment(ref count) <= MostTold) _violations.Enqueue(what);
    }

    private static long Now() => (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
