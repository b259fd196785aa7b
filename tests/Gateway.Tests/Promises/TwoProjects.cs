using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Gateway.Tests.Running;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Promises;

/// <summary>The bootstrapped project and a second one that is deleted, with what the database says of its end.</summary>
internal sealed class TwoProjects(string data)
{
    public const string SecondToken = "phc_theothertokentheothertokentheothertokenth34";

    public const ulong First = 1;

    public const ulong Second = 2;

    public long DeletionEpoch => Sql("SELECT COALESCE(deletion_epoch, 0) FROM projects WHERE id = 2");

    /// <summary>What the gateway that lives last said of its journal.</summary>
    public long CleanEpoch => Sql("SELECT MIN(clean_epoch) FROM gateways");

    public bool IsErased => Sql("SELECT erased_at IS NOT NULL FROM projects WHERE id = 2") == 1;

    public long ErasedRows => Sql("SELECT erased_rows FROM projects WHERE id = 2");

    public static async Task AddSecondAsync(GatewayProcess gateway)
    {
        using var owner = ApiUser.Owner(gateway);
        var made = await owner.DoAsync(
            HttpMethod.Post, "/api/organizations/@current/projects/", new { name = "Theirs", api_token = SecondToken });
        Assert.Equal(2, made.GetProperty("id").GetInt64());
    }

    /// <summary>As if those that lived were not heard of for more than a minute.</summary>
    public void ForgetGateways() => Sql("UPDATE gateways SET seen_at = 0");

    /// <summary>From the answer on its token is refused and nothing of it can be read.</summary>
    public static async Task DeleteSecondAsync(GatewayProcess gateway)
    {
        using var answer = await SendAsync(gateway, HttpMethod.Delete, "/api/projects/2/");
        Assert.True(answer.StatusCode == HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync());

        using var refused = await gateway.PostAsync("/i/v0/e/", new { api_key = SecondToken, @event = "e", distinct_id = "d" });
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var unread = await gateway.QueryAsync(new { kind = "EventsQuery", select = new[] { "event" } }, project: "2");
        Assert.Equal(HttpStatusCode.NotFound, unread.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        GatewayProcess gateway, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        return await gateway.Http.SendAsync(request);
    }

    private long Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(data, "control.db")};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is long value ? value : 0;
    }
}
