using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Scenarios;

/// <summary>
/// Tokens are reset through both gateways while both take events with the old and the new ones. Half of all requests
/// go with a token of the project that was reset last, so that they come as soon after the call as can be.
/// </summary>
internal sealed class RevocationUnderLoad(Installation installation, Project[] projects, ScenarioRunner runner)
{
    private const double ResetsPerSecond = 20;
    private const long Never = long.MaxValue;

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    private readonly Revocation[] _revocations =
    [
        .. projects.Take((int)(ResetsPerSecond * runner.Options.Seconds)).Select(project => new Revocation(project)),
    ];

    private Revocation? _last;
    private long _sentAgain;
    private long _refused;
    private long _takenAfterwards;
    private long _refusedWrongly;

    public async Task<ScenarioReport> RunAsync(CancellationToken cancellationToken)
    {
        Uri[] both = [installation.One.Address, installation.Other.Address];
        var posts = new Scenario("single event, old and new tokens", PostAsync);
        await runner.WarmUpAsync(posts, runner.Options.Rate, both, cancellationToken);

        var resets = new Scenario("reset_token", ResetAsync) { Connections = Management.AtOnce };
        var during = TimeSpan.FromSeconds(_revocations.Length / ResetsPerSecond);
        var rows = await Task.WhenAll(
            runner.RunAsync(resets, new(ResetsPerSecond, during), both, cancellationToken),
            runner.RunAsync(posts, new(runner.Options.Rate, runner.Options.During), both, cancellationToken));
        rows[0] = rows[0] with
        {
            Note = string.Create(CultureInfo.InvariantCulture, $"{_sentAgain} sent again after 503"),
        };
        rows[1] = rows[1] with
        {
            Note = string.Create(
                CultureInfo.InvariantCulture,
                $"begun after the reset: {_refused} refused, {_takenAfterwards} taken; refused before it: "
                + $"{_refusedWrongly}"),
        };
        return new ScenarioReport(
            "Revocation under load",
            $"Tokens of {_revocations.Length} projects are reset through two gateways while both take events with old "
            + "and new tokens. A request that begins after the call returned must be refused with the old token and "
            + "taken with the new one; one that was over before the call began must have been taken. A call that is "
            + "answered 503 is sent again, and its latency ends with its 200.",
            rows);
    }

    private async ValueTask<StepResult> ResetAsync(
        LeanConnection connection, long number, CancellationToken cancellationToken)
    {
        var revocation = _revocations[number];
        string path = $"/api/projects/{revocation.ProjectId}/reset_token/";
        Volatile.Write(ref revocation.Began, Stopwatch.GetTimestamp());
        byte[] request = Requests.Api(path, GatewayServer.ApiKey, "{}");
        var answer = await connection.SendAsync(request, cancellationToken);

        // A machine that is too busy may keep Redis from answering in time: then it is to be sent again, which counts.
        while (answer.Status == 503)
        {
            Interlocked.Increment(ref _sentAgain);
            await Task.Delay(Again, cancellationToken);
            answer = await connection.SendAsync(request, cancellationToken);
        }

        long returned = Stopwatch.GetTimestamp();
        if (answer.Status != 200) return new(IsGood: false);

        using var document = JsonDocument.Parse(answer.Body);
        revocation.NewToken = document.RootElement.GetProperty("api_token").GetString()!;
        Volatile.Write(ref revocation.Returned, returned);
        Volatile.Write(ref _last, revocation);
        return new(IsGood: true);
    }

    private async ValueTask<StepResult> PostAsync(
        LeanConnection connection, long number, CancellationToken cancellationToken)
    {
        var revocation = number % 2 == 0 && Volatile.Read(ref _last) is { } last
            ? last
            : _revocations[Random.Shared.Next(_revocations.Length)];
        bool isNew = number % 4 >= 2 && Volatile.Read(ref revocation.Returned) != Never;
        byte[] request = Requests.SingleEvent(isNew ? revocation.NewToken! : revocation.OldToken);
        long began = Stopwatch.GetTimestamp();
        var answer = await connection.SendAsync(request, cancellationToken);

        int acked = answer.Status == 200 ? 1 : 0;
        if (isNew) return new(answer.Status == 200, acked);
        return new(IsRight(revocation, began, answer.Status), acked);
    }

    /// <summary>Whether an answer to the old token is; read after it came.</summary>
    private bool IsRight(Revocation revocation, long began, int status)
    {
        if (Volatile.Read(ref revocation.Returned) < began)
        {
            Interlocked.Increment(ref status == 200 ? ref _takenAfterwards : ref _refused);
            return status == 401;
        }

        // Under way at the same time it may go either way.
        bool wasLive = Volatile.Read(ref revocation.Began) == Never;
        if (wasLive && status == 401) Interlocked.Increment(ref _refusedWrongly);
        return status == 200 || (status == 401 && !wasLive);
    }

    /// <summary>Of one project's token, once; times are those of the stopwatch.</summary>
    private sealed class Revocation(Project project)
    {
        public long Began = Never;
        public long Returned = Never;

        public long ProjectId => project.Id;

        public string OldToken => project.Token;

        public string? NewToken { get; set; }
    }
}
