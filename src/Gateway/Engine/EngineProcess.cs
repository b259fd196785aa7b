using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.Engine;

/// <summary>
/// Keeps the embedded engine running as a child process: starts it, pings it, starts it again when it crashes or no
/// longer answers, and ends it with the gateway.
/// </summary>
internal sealed class EngineProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(1);

    private readonly EngineOptions _options;
    private readonly EngineFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EngineEndpoint? _endpoint;
    private Task _supervision = Task.CompletedTask;

    public EngineProcess(EngineOptions options, TimeProvider time, ILogger<EngineProcess> log)
    {
        _options = options with { Folder = Path.GetFullPath(options.Folder) };
        _files = new EngineFiles(_options.Folder);
        _time = time;
        _log = log;
        // The engine is on this machine: a proxy of the environment's, made for what is not, is no way to it.
        var direct = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        _http = new HttpClient(direct) { Timeout = options.Patience };
    }

    /// <summary>
    /// Where the engine answers, or last did; null before it first was ready. A restarted engine takes its old port
    /// when that is still free, but ask again for each use.
    /// </summary>
    public EngineEndpoint? Endpoint => Volatile.Read(ref _endpoint);

    /// <summary>Begins to keep the engine running; it is ready later.</summary>
    /// <exception cref="EngineException">It cannot run on this machine.</exception>
    public void Start()
    {
        string program = FindProgram();
        Directory.CreateDirectory(_options.Folder);
        _supervision = SuperviseAsync(program, _stopping.Token);
    }

    /// <summary>Waits until the engine has been ready for the first time.</summary>
    public Task WaitUntilReadyAsync(CancellationToken cancellationToken) => _ready.Task.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _supervision;
        _http.Dispose();
        _stopping.Dispose();
    }

    private async Task SuperviseAsync(string program, CancellationToken stopping)
    {
        var backOff = _options.FirstBackOff;
        while (!stopping.IsCancellationRequested)
        {
            long started = _time.GetTimestamp();
            await TryRunAsync(program, stopping);
            if (stopping.IsCancellationRequested) return;

            if (_time.GetElapsedTime(started) > HealthyAfter) backOff = _options.FirstBackOff;
            EngineProcessLog.StartsAgain(_log, backOff);
            await Task.Delay(backOff, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            backOff = Min(backOff * 2, _options.LongestBackOff);
        }
    }

    private async Task TryRunAsync(string program, CancellationToken stopping)
    {
        try
        {
            await EndLeftBehindAsync(stopping);
            EngineProcessLog.Ended(_log, await RunOnceAsync(program, stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The gateway ends, and its engine with it.
        }
        catch (Exception exception)
        {
            // A full disk, or no process to be had: what keeps the engine down now may be over the next time.
            EngineProcessLog.Failed(_log, exception);
        }
    }

    /// <summary>libchdb locks its data: an engine that outlived its gateway must go first.</summary>
    private async Task EndLeftBehindAsync(CancellationToken stopping)
    {
        if (_files.ReadProcess() is not { } leftBehind) return;

        if (await leftBehind.KillAsync(_options.StopPatience, _time, stopping))
        {
            EngineProcessLog.EndedLeftBehind(_log, leftBehind.Pid);
        }

        _files.ForgetProcess();
    }

    /// <summary>Starts the engine and stays with it until it has ended, by itself or killed.</summary>
    private async Task<int> RunOnceAsync(string program, CancellationToken stopping)
    {
        _files.ForgetPort();
        using var child = Process.Start(StartInfo(program))
            ?? throw new EngineException($"{program} could not be started.");
        var output = Task.WhenAll(LogAsync(child.StandardError), LogAsync(child.StandardOutput));
        try
        {
            // Ended already, it has no identity, and nothing to be ended later.
            if (ProcessIdentity.Of(child.Id) is { } identity) _files.WriteProcess(identity);
            await WatchAsync(child, stopping);
        }
        finally
        {
            // Whatever happened: a child left running would hold the lock on the data against the next one.
            await StopAsync(child);
            await output;
            _files.ForgetProcess();
        }

        return child.ExitCode;
    }

    /// <summary>Returns when the engine has ended or has to be ended.</summary>
    private async Task WatchAsync(Process child, CancellationToken stopping)
    {
        var exited = child.WaitForExitAsync(stopping);
        if (!await BecomesReadyAsync(exited, stopping)) return;

        long answered = _time.GetTimestamp();
        while (!exited.IsCompleted)
        {
            if (await AnswersAsync(stopping)) answered = _time.GetTimestamp();
            if (_time.GetElapsedTime(answered) >= _options.Patience)
            {
                EngineProcessLog.Silent(_log, _options.Patience);
                child.Kill();
                return;
            }

            await Task.WhenAny(exited, Task.Delay(_options.PingInterval, _time, stopping));
            stopping.ThrowIfCancellationRequested();
        }
    }

    private async Task<bool> BecomesReadyAsync(Task exited, CancellationToken stopping)
    {
        long started = _time.GetTimestamp();
        while (!exited.IsCompleted && _time.GetElapsedTime(started) < _options.StartPatience)
        {
            if (_files.ReadEndpoint() is { } endpoint)
            {
                Volatile.Write(ref _endpoint, endpoint);
                EngineProcessLog.Ready(_log, endpoint.Url);
                _ready.TrySetResult();
                return true;
            }

            await Task.Delay(StartPoll, _time, stopping);
        }

        stopping.ThrowIfCancellationRequested();
        return false;
    }

    private async Task<bool> AnswersAsync(CancellationToken stopping)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(Endpoint!.Url, "ping"), stopping);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // HttpClient words a timeout so.
            return false;
        }
    }

    /// <summary>Asks the engine to end by ending its standard input; kills it when it takes too long.</summary>
    private async Task StopAsync(Process child)
    {
        child.StandardInput.Close();
        using var patience = new CancellationTokenSource(_options.StopPatience, _time);
        try
        {
            await child.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            EngineProcessLog.DidNotStop(_log, _options.StopPatience);
            child.Kill();
            await child.WaitForExitAsync(CancellationToken.None);
        }
    }

    private async Task LogAsync(StreamReader output)
    {
        while (await output.ReadLineAsync(CancellationToken.None) is { } line) EngineProcessLog.Says(_log, line);
    }

    private ProcessStartInfo StartInfo(string program)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _options.Folder,
        };
        Add("--data", _options.Folder);
        Add("--port-file", _files.PortFile);
        Add("--port", Endpoint?.Url.Port.ToString(CultureInfo.InvariantCulture));
        Add("--memory", _options.MemoryBytes?.ToString(CultureInfo.InvariantCulture));
        Add("--library", _options.Library);

        // The runtime that runs the gateway runs the engine too, wherever it is; times are UTC, wherever we are.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(RuntimeEnvironment.GetRuntimeDirectory() + "/../../..");
        start.Environment["TZ"] = "UTC";
        return start;

        void Add(string name, string? value)
        {
            if (value is null) return;

            start.ArgumentList.Add(name);
            start.ArgumentList.Add(value);
        }
    }

    /// <summary>Beside the gateway when published; in the build's output otherwise.</summary>
    private string FindProgram()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new EngineException(
                "The embedded ClickHouse engine runs on Linux x64 only. Set ConnectionStrings:ClickHouse to a "
                + "ClickHouse server, as http://user:password@host:8123/database.");
        }

        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string[] places = _options.Program is { } given
            ? [given]
            :
            [
                Path.Combine(here.FullName, "engine", "Gateway.Engine"),
                Path.Combine(here.FullName, "..", "..", "Gateway.Engine", here.Name, "Gateway.Engine"),
            ];
        return Array.Find(places, File.Exists)
            ?? throw new EngineException($"The embedded engine is not built: {string.Join(", ", places)} is missing.");
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
