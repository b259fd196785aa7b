using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>
/// A token that was given out is taken by every gateway with the very next request, also one that an app posted with
/// before its import, so that each gateway has refused it. How many is for FRESH_TOKENS to say; the line of figures goes
/// to the file FRESH_FIGURES as well.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class FreshTokenTests(EngineFixture engine, ITestOutputHelper output)
{
    private const int DefaultCount = 300;
    private const int Workers = 4;

    // Less than an organization may have.
    private const int ProjectsEach = 1000;

    private long _refused;
    private long _asked;
    private int _next;

    [Fact]
    public async Task A_fresh_token_is_never_refused()
    {
        int count = int.Parse(
            Environment.GetEnvironmentVariable("FRESH_TOKENS") ?? $"{DefaultCount}", CultureInfo.InvariantCulture);
        var trio = await engine.ByRedis.CalmAsync();
        engine.ByRedis.Redis.CutHints();

        long began = Stopwatch.GetTimestamp();
        for (int done = 0; done < count; done += ProjectsEach)
        {
            (_next, int end) = (done, Math.Min(count, done + ProjectsEach));
            using var owner = ApiUser.Owner(trio[0]);
            var made = await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = $"Fresh {done}" });
            string organization = made.GetProperty("id").GetString()!;
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => TryTokensAsync(trio, organization, end)));
        }

        string figures = $"fresh: tokens {count}, imported {count / 2}, requests {_asked}, refused {_refused}, "
            + $"seconds {Stopwatch.GetElapsedTime(began).TotalSeconds:0}";
        output.WriteLine(figures);
        if (Environment.GetEnvironmentVariable("FRESH_FIGURES") is { Length: > 0 } file)
            File.AppendAllText(file, figures + "\n");
        Assert.Equal(0, _refused);
        Assert.Equal(count * (Trio.Size - 1), _asked);
    }

    private async Task TryTokensAsync(Trio trio, string organization, int end)
    {
        int number;
        while ((number = Interlocked.Increment(ref _next) - 1) < end) await TryTokenAsync(trio, organization, number);
    }

    private async Task TryTokenAsync(Trio trio, string organization, int number)
    {
        string? imported = null;
        if (number % 2 == 1)
        {
            imported = $"phc_{RandomNumberGenerator.GetHexString(32)}";
            await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, imported);
        }

        int gateway = number % Trio.Size;
        var project = await trio.CreateProjectAsync(gateway, imported, organization);
        for (int step = 1; step < Trio.Size; step++)
        {
            Interlocked.Increment(ref _asked);
            var status = await trio.PostAsync((gateway + step) % Trio.Size, project.Token);
            for (int again = 0; status == HttpStatusCode.ServiceUnavailable && again < 50; again++)
            {
                // Nobody to ask for a moment, which says nothing of the token.
                await Task.Delay(100);
                status = await trio.PostAsync((gateway + step) % Trio.Size, project.Token);
            }

            if (status == HttpStatusCode.OK) continue;

            Interlocked.Increment(ref _refused);
            output.WriteLine($"token {number}, imported: {imported is not null}, step {step}: {status}");
        }
    }
}
