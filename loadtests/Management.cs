using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.LoadTests;

/// <summary>Projects and their tokens, by the management API.</summary>
internal sealed class Management(Uri gateway, string apiKey) : IDisposable
{
    // More would wait for each other in the database.
    private const int AtOnce = 4;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false })
    {
        BaseAddress = gateway,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", apiKey) },
    };

    /// <summary>In an organization of their own: none may have more than 1500.</summary>
    public async Task<Project[]> MakeProjectsAsync(int count, CancellationToken cancellationToken)
    {
        var organization = await PostAsync("/api/organizations/", new { name = "Load" }, cancellationToken);
        string path = $"/api/organizations/{organization.GetProperty("id").GetString()}/projects/";
        return await ForEachAsync(
            Enumerable.Range(0, count),
            number => PostAsync(path, new { name = $"load {number}" }, cancellationToken),
            cancellationToken);
    }

    /// <summary>Gives each a new token; what they have is dead when this returns.</summary>
    public Task<Project[]> ResetTokensAsync(IEnumerable<Project> projects, CancellationToken cancellationToken) =>
        ForEachAsync(
            projects,
            project => PostAsync($"/api/projects/{project.Id}/reset_token/", null, cancellationToken),
            cancellationToken);

    public void Dispose() => _http.Dispose();

    private static async Task<Project[]> ForEachAsync<T>(
        IEnumerable<T> items, Func<T, Task<JsonElement>> post, CancellationToken cancellationToken)
    {
        T[] all = [.. items];
        var made = new Project[all.Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, all.Length, parallel, async (i, _) =>
        {
            var project = await post(all[i]);
            made[i] = new(project.GetProperty("id").GetInt64(), project.GetProperty("api_token").GetString()!);
        });
        return made;
    }

    /// <summary>Until the gateway has met the events store, it makes no project: 503.</summary>
    private async Task<JsonElement> PostAsync(string path, object? body, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var answer = await _http.PostAsync(path, JsonContent.Create(body), cancellationToken);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                await Task.Delay(Pause, cancellationToken);
                continue;
            }

            string text = await answer.Content.ReadAsStringAsync(cancellationToken);
            if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"POST {path}: {text}");
            return JsonDocument.Parse(text).RootElement;
        }
    }
}

internal sealed record Project(long Id, string Token);
