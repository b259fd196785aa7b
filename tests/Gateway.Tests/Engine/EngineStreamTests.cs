using System.Net;
using Gateway.Engine.Chdb;

namespace Gateway.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class EngineStreamTests(EngineFixture engine) : IDisposable
{
    private const string Endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";
    private const string EndlessRows = "SELECT number FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client = EngineFixture.NewClient(engine.Endpoint);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_large_result_arrives_whole_and_begins_before_it_ends()
    {
        // Far more than fits between a query and a client that does not read.
        const long Rows = 20_000_000;
        string id = Guid.NewGuid().ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"?query_id={id}")
        {
            Content = new StringContent($"SELECT number FROM numbers({Rows}) FORMAT RowBinary"),
        };
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[1 << 20];
        long length = await body.ReadAsync(buffer);
        Assert.Equal("1", await _client.QueryAsync(Running(id)));

        int count;
        while ((count = await body.ReadAsync(buffer)) > 0) length += count;

        Assert.Equal(Rows * sizeof(ulong), length);
    }

    [Theory]
    [InlineData(Endless, "")]
    [InlineData(Endless, "wait_end_of_query=1")]
    [InlineData(EndlessRows, "")]
    [InlineData(EndlessRows, "enable_http_compression=1")]
    public async Task A_select_ends_in_clickhouse_when_its_client_goes_away(string sql, string arguments)
    {
        string id = Guid.NewGuid().ToString();
        using (var leaving = new CancellationTokenSource())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"?query_id={id}&{arguments}")
            {
                Content = new StringContent(sql),
            };
            request.Headers.AcceptEncoding.ParseAdd("gzip");
            var asking = _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
            await _client.BecomesAsync("1", Running(id));

            await leaving.CancelAsync();
            await DropAsync(asking);
        }

        await _client.BecomesAsync("0", Running(id));
    }

    [Fact]
    public async Task Queries_run_side_by_side()
    {
        string table = await _client.NewTableAsync();
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 40 }, async (i, _) =>
        {
            await _client.QueryAsync($"INSERT INTO {table} VALUES ({i}, 'x')", "async_insert=0");
            Assert.Equal($"{i}\t{i % 7 + 1}", await _client.QueryAsync(
                $"SELECT {i}, getSetting('max_threads')", $"max_threads={i % 7 + 1}"));
        });

        Assert.Equal("200\t19900", await _client.QueryAsync($"SELECT count(), sum(a) FROM {table}"));
    }

    [Fact]
    public async Task Queries_wait_their_turn_and_a_ping_does_not()
    {
        using var readers = await TakeEveryTurnAsync();
        var waiting = _client.QueryAsync("SELECT 1");

        Assert.Equal("Ok.\n", await _client.GetStringAsync(new Uri("ping", UriKind.Relative)));
        Assert.NotSame(waiting, await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromMilliseconds(500))));

        readers.Dispose();
        Assert.Equal("1", await waiting);
    }

    [Fact]
    public async Task An_insert_does_not_wait_behind_clients_that_do_not_read()
    {
        string table = await _client.NewTableAsync();
        using var readers = await TakeEveryTurnAsync();
        using (var answer = await _client.InsertAsync($"INSERT INTO {table} FORMAT CSV", "1,x\n").WaitAsync(Patience))
        {
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        readers.Dispose();
        Assert.Equal("1", await _client.QueryAsync($"SELECT count() FROM {table}"));
    }

    [Fact]
    public async Task Two_queries_may_not_have_one_name_at_once()
    {
        string id = Guid.NewGuid().ToString();
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"?query_id={id}")
        {
            Content = new StringContent(Endless),
        };
        var asking = _client.SendAsync(request, leaving.Token);
        await _client.BecomesAsync("1", Running(id));
        using var answer = await _client.AskAsync("SELECT 1", $"query_id={id}");

        await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 216);
        await leaving.CancelAsync();
        await DropAsync(asking);
    }

    private static string Running(string queryId) =>
        $"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{queryId}'";

    /// <summary>As many queries as may run at once: an answer that has begun has its turn until it is read.</summary>
    private async Task<Readers> TakeEveryTurnAsync()
    {
        int most = new ChdbOptions("", 0).MaxRunningQueries;
        string running = $"SELECT count() FROM system.processes WHERE startsWith(query, '{EndlessRows}')";
        var readers = new Readers();
        while (readers.Count < most)
        {
            // The last turn is the one by which the others are counted.
            if (readers.Count == most - 1) await _client.BecomesAsync($"{readers.Count}", running);
            using var content = new StringContent(EndlessRows);
            using var request = new HttpRequestMessage(HttpMethod.Post, "") { Content = content };
            readers.Add(await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience));
        }

        return readers;
    }

    /// <summary>Goes away, whether the answer had begun or not.</summary>
    private static async Task DropAsync(Task<HttpResponseMessage> asking)
    {
        try
        {
            using var answer = await asking;
        }
        catch (OperationCanceledException)
        {
            // It had not begun.
        }
    }

    /// <summary>Clients that have an answer and do not read it.</summary>
    private sealed class Readers : List<HttpResponseMessage>, IDisposable
    {
        public void Dispose() => ForEach(answer => answer.Dispose());
    }
}
