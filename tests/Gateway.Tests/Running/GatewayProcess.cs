using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Running;

/// <summary>A real gateway in a process of its own, on a free port, with its data in a folder of its own.</summary>
internal sealed partial class GatewayProcess : IAsyncDisposable
{
    /// <summary>The token of all recordings: an imported one, without a checksum.</summary>
    public const string ProjectToken = "phc_testtokentesttokentesttokentesttokentest12";

    public const string ApiKey = "phx_testkeytestkeytestkeytestkeytestkeytestkey12";

    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output;
    private readonly bool _ownsData;
    private readonly StopPoints? _points;
    private readonly Process _end;
    private bool _wasKilled;

    private GatewayProcess(
        Process process,
        ConcurrentQueue<string> output,
        Uri address,
        string data,
        bool ownsData,
        StopPoints? points,
        Process end)
    {
        (_process, _output, Address, Data, _ownsData) = (process, output, address, data, ownsData);
        (_points, _end) = (points, end);
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(100),
        };
    }

    public Uri Address { get; }

    public string Data { get; }

    public HttpClient Http { get; }

    public int Id => _process.Id;

    public string Output => string.Join('\n', _output);

    /// <summary>Starts a gateway and waits until it is ready.</summary>
    /// <param name="data">Its folder; null: a new one, removed at the end.</param>
    /// <param name="port">0: a free one.</param>
    /// <param name="waitUntilReady">False: only until it listens.</param>
    /// <param name="testBuild">The tests' own build, which can be stopped where <see cref="Arm"/> says.</param>
    /// <param name="settings">More configuration, by key.</param>
    public static async Task<GatewayProcess> StartAsync(
        string? data = null,
        int port = 0,
        bool waitUntilReady = true,
        bool testBuild = false,
        params (string Key, string Value)[] settings)
    {
        string folder = data ?? Directory.CreateTempSubdirectory("gateway-test-").FullName;
        var points = testBuild ? new StopPoints() : null;
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Program(testBuild), "--urls", $"http://127.0.0.1:{port}", $"--Gateway:Data={folder}" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["Gateway__Bootstrap__ProjectToken"] = ProjectToken;
        start.Environment["Gateway__Bootstrap__ApiKey"] = ApiKey;
        start.Environment["Gateway__Engine__MemoryBytes"] = (2L << 30).ToString();
        start.Environment["Gateway__Journal__MinFreeBytes"] = (64 << 20).ToString();
        start.Environment["Gateway__Journal__SegmentBytes"] = (8 << 20).ToString();
        if (points is not null) start.Environment["GATEWAY_STOP_POINTS"] = points.Folder;
        foreach (var (key, value) in settings) start.Environment[key.Replace(":", "__")] = value;

        var output = new ConcurrentQueue<string>();
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Note(line.Data, output, listening);
        process.ErrorDataReceived += (_, line) => Note(line.Data, output, listening);
        process.Exited += async (_, _) =>
        {
            // Its last lines may still be on their way.
            await process.WaitForExitAsync();
            listening.TrySetException(new InvalidOperationException(
                $"The gateway ended before it listened:\n{string.Join('\n', output)}"));
        };
        process.Start();
        var end = KillAtOurEnd(process.Id, folder);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        var gateway = new GatewayProcess(
            process, output, await listening.Task.WaitAsync(StartLimit), folder, ownsData: data is null, points, end);
        if (waitUntilReady) await gateway.WaitUntilReadyAsync();
        return gateway;
    }

    public async Task WaitUntilReadyAsync() => await Eventually.HoldsAsync(
        async () => (await Http.GetAsync("/_readiness")).StatusCode == HttpStatusCode.OK,
        StartLimit, () => $"the gateway is ready; it said:\n{Output}");

    /// <summary>kill -9, and waits until the process is gone.</summary>
    public async Task KillAsync()
    {
        _wasKilled = true;
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        if (!_process.HasExited)
        {
            _points?.ReleaseAll();
            Continue();
            Signal(_process.Id, SigTerm);
        }

        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    /// <summary>Waits until it has ended by itself; the exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(StartLimit);
        return _process.ExitCode;
    }

    /// <summary>Removes what is left of one whose end was meant.</summary>
    public async Task ForgetAsync()
    {
        _wasKilled = true;
        await DisposeAsync();
    }

    /// <summary>
    /// What is to befall the first that comes to a point of the tests' build: "stop" (all of the process, until
    /// <see cref="Continue"/>), "exit" (as kill -9) or "wait" (that thread, until <see cref="Release"/>).
    /// </summary>
    public void Arm(string point, string what = StopPoints.Stop) => Points.Arm(point, what);

    /// <summary>Waits until somebody came to the point, and until the process is stopped or gone if it was to be.</summary>
    public Task WaitUntilStoppedAsync(string point) => Points.WaitUntilReachedAsync(point, _process.Id);

    /// <summary>Lets go of who waits at the point; nobody is stopped there from now on.</summary>
    public void Release(string point) => Points.Release(point);

    /// <summary>SIGSTOP: every thread stays where it is.</summary>
    public void Stop() => Signal(_process.Id, SigStop);

    public void Continue() => Signal(_process.Id, SigCont);

    /// <summary>Whatever held it, it goes on.</summary>
    public void Recover()
    {
        _points?.ReleaseAll();
        if (!_process.HasExited) Continue();
    }

    public static void Signal(int process, int signal) => Assert.Equal(0, Kill(process, signal));

    /// <summary>Posts JSON to a capture path; the answer's status.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, object body) => await Http.PostAsJsonAsync(path, body);

    /// <summary>A query of the project that the key opens; the answer as it came.</summary>
    public async Task<HttpResponseMessage> QueryAsync(object query, string project = "@current", string key = ApiKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/projects/{project}/query/")
        {
            Content = JsonContent.Create(new { query }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Http.SendAsync(request);
    }

    /// <summary>
    /// Every stored event, each row once for each time the query shows it. None while the store is being started: the
    /// answer is 503 then.
    /// </summary>
    public async Task<List<StoredEvent>> EventsAsync(string project = "@current", string key = ApiKey)
    {
        var events = new List<StoredEvent>();
        string? cursor = null;
        do
        {
            using var response = await QueryAsync(new
            {
                kind = "EventsQuery",
                select = (string[])["uuid", "event", "distinct_id", "timestamp", "properties"],
                after = "1970-01-01T00:00:00Z",
                before = "2149-01-01T00:00:00Z",
                limit = 50_000,
                cursor,
            }, project, key);
            string text = await response.Content.ReadAsStringAsync();
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable) return [];
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {text}");

            var answer = JsonDocument.Parse(text).RootElement;
            events.AddRange(answer.GetProperty("results").EnumerateArray().Select(row => new StoredEvent(
                row[0].GetString()!, row[1].GetString()!, row[2].GetString()!, row[3].GetString()!, row[4].Clone())));
            cursor = answer.GetProperty("hasMore").GetBoolean() ? answer.GetProperty("nextCursor").GetString() : null;
        }
        while (cursor is not null);

        return events;
    }

    /// <summary>Waits until at least so many events can be queried, and returns them.</summary>
    public async Task<List<StoredEvent>> WaitForEventsAsync(int count, int seconds = 120)
    {
        List<StoredEvent> events = [];
        await Eventually.HoldsAsync(
            async () => (events = await EventsAsync()).Count >= count,
            TimeSpan.FromSeconds(seconds),
            () => $"{count} events are queryable; the gateway said:\n{Output}\n"
                + $"found {events.Count}: {string.Join(", ", events.Take(20).Select(stored => stored.Event))}");
        return events;
    }

    /// <summary>A metric's value; -1 while there is none.</summary>
    public async Task<long> MetricAsync(string name)
    {
        string text = await Http.GetStringAsync("/metrics");
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name + " ")) return long.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
        }

        return -1;
    }

    public async ValueTask DisposeAsync()
    {
        // A crash at the stop is a failure of whatever test this was; a kill was meant.
        if (!_wasKilled) Assert.True(await TerminateAsync() == 0, $"It exited with {_process.ExitCode}:\n{Output}");
        Http.Dispose();
        _end.Kill();
        _end.Dispose();
        _process.Dispose();
        _points?.Dispose();
        if (_ownsData) Directory.Delete(Data, recursive: true);
    }

    private static void Note(string? line, ConcurrentQueue<string> output, TaskCompletionSource<Uri> listening)
    {
        if (line is null) return;

        output.Enqueue(line);
        if (Listening().Match(line) is { Success: true } match) listening.TrySetResult(new Uri(match.Groups[1].Value));
    }

    private StopPoints Points =>
        _points ?? throw new InvalidOperationException("Only the tests' own build can be stopped at a point.");

    private static string Program(bool testBuild) =>
        testBuild ? Build.Output("Gateway.TestBuild", "Gateway.TestBuild.dll") : Build.Output("Gateway", "Gateway.dll");

    /// <summary>
    /// A shell that kills the gateway when its own input ends, as it does with our own end at the latest: one that is
    /// stopped would outlive us. Its number may be somebody else's by then, but not its folder.
    /// </summary>
    private static Process KillAtOurEnd(int gateway, string folder) =>
        Process.Start(new ProcessStartInfo(
            "sh", ["-c", $"read _; grep -aqs 'Gateway:Data={folder}' /proc/{gateway}/cmdline && kill -KILL {gateway}"])
        {
            RedirectStandardInput = true,
        })!;

    [GeneratedRegex(@"listening on (http://\S+)")]
    private static partial Regex Listening();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

/// <summary>One row as the query gives it.</summary>
internal sealed record StoredEvent(
    string Uuid, string Event, string DistinctId, string Timestamp, JsonElement Properties);
