using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.LoadTests;

/// <summary>Projects and their tokens, by the management API.</summary>
internal sealed class Management(Uri gateway, string apiKey) : IDisposable
{
    /// <summary>Changes under way: more would wait for each other in the database.</summary>
    public const int AtOnce = 4;

    private const int InOneOrganization = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false })
    {
        BaseAddress = gateway,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", apiKey) },
    };

    /// <summary>The one that the API key's user is in.</summary>
    public async Task<Project> FindProjectAsync(CancellationToken cancellationToken)
    {
        string text = await _http.GetStringAsync("/api/projects/@current/", cancellationToken);
        return Read(JsonDocument.Parse(text).RootElement);
    }

    /// <summary>In organizations of their own, of which none may have more than 1500.</summary>
    public async Task<Project[]> MakeProjectsAsync(int count, CancellationToken cancellationToken)
    {
        var made = new Project[count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        for (int first = 0; first < count; first += InOneOrganization)
        {
            var organization = await PostAsync("/api/organizations/", new { name = "Load" }, cancellationToken);
            string path = $"/api/organizations/{organization.GetProperty("id").GetString()}/projects/";
            int end = Math.Min(first + InOneOrganization, count);
            await Parallel.ForAsync(first, end, parallel, async (number, _) =>
                made[number] = Read(await PostAsync(path, new { name = $"load {number}" }, cancellationToken)));
            Console.WriteLine($"  {end} of {count} projects made");
        }

        return made;
    }

    /// <summary>Gives it a new token; the one that it has is dead when this returns.</summary>
    public async Task<Project> ResetTokenAsync(Project project, CancellationToken cancellationToken) =>
        Read(await PostAsync($"/api/projects/{project.Id}/reset_token/", null, cancellationToken));

    public void Dispose() => _http.Dispose();

    private static Project Read(JsonElement project) =>
        new(project.GetProperty("id").GetInt64(), project.GetProperty("api_token").GetString()!);

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
