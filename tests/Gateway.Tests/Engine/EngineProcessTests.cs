using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Gateway.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Engine;

[SupportedOSPlatform("linux")]
public sealed class EngineProcessTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder _folder = new();
    private readonly RecordingLog<EngineProcess> _log = new();
    private readonly List<EngineProcess> _engines = [];

    private EngineFiles Files => new(_folder.Path);

    public Task InitializeAsync()
    {
        EngineFixture.RequireLibrary();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        foreach (var engine in _engines) await engine.DisposeAsync();
        _folder.Remove();
    }

    [Fact]
    public async Task A_killed_engine_comes_back_at_the_same_address_with_its_rows()
    {
        var engine = await StartAsync();
        var before = engine.Endpoint!;
        using var client = EngineFixture.NewClient(before);
        string table = await client.NewTableAsync();
        await client.QueryAsync($"INSERT INTO {table} VALUES (1, 'x')", "async_insert=0");

        int pid = Files.ReadProcess()!.Pid;
        await SignalAsync("-KILL", pid);
        await RunsAsync(pid);

        Assert.Equal(before, engine.Endpoint);
        Assert.Equal("1", await client.QueryAsync($"SELECT count() FROM {table}"));
    }

    [Fact]
    public async Task An_engine_that_no_longer_answers_is_killed_and_started_again()
    {
        await StartAsync(options => options with
        {
            Patience = TimeSpan.FromSeconds(2),
            PingInterval = TimeSpan.FromMilliseconds(100),
        });

        int pid = Files.ReadProcess()!.Pid;
        await SignalAsync("-STOP", pid);
        await RunsAsync(pid);

        Assert.True(_log.Has("has not answered"), _log.ToString());
    }

    [Fact]
    public async Task An_engine_left_behind_is_ended_first()
    {
        using var leftBehind = await LeaveBehindAsync();
        await StartAsync();

        Assert.True(leftBehind.HasExited);
        Assert.True(_log.Has("left behind"), _log.ToString());
    }

    [Fact]
    public async Task A_stranger_that_was_given_the_old_process_id_is_left_alone()
    {
        using var stranger = Process.Start("sleep", "600");
        var identity = ProcessIdentity.Of(stranger.Id)!;
        Files.WriteProcess(identity with { StartTick = identity.StartTick - 1 });

        await StartAsync();

        Assert.False(stranger.HasExited);
        stranger.Kill();
    }

    [Fact]
    public async Task It_is_stopped_cleanly_and_leaves_no_process_file()
    {
        var engine = await StartAsync();
        int pid = Files.ReadProcess()!.Pid;

        await engine.DisposeAsync();
        _engines.Remove(engine);

        Assert.Null(ProcessIdentity.Of(pid));
        Assert.Null(Files.ReadProcess());
        Assert.False(_log.Has("did not stop"), _log.ToString());
        Assert.False(_log.Has("it is started again"), _log.ToString());
    }

    [Fact]
    public async Task It_comes_back_when_its_process_file_can_be_read_again()
    {
        string obstacle = Path.Combine(_folder.Path, "process.json");
        await ComesBackAsync(() => Directory.CreateDirectory(obstacle), () => Directory.Delete(obstacle));
    }

    [Fact]
    public async Task It_comes_back_when_its_process_file_can_be_written_again()
    {
        string obstacle = Path.Combine(_folder.Path, "process.json.new");
        await ComesBackAsync(() => Directory.CreateDirectory(obstacle), () => Directory.Delete(obstacle));
    }

    [Fact]
    public async Task It_comes_back_when_its_program_can_be_started_again()
    {
        string program = await WriteProgramAsync($"exec {EngineProgram} \"$@\"");
        File.SetUnixFileMode(program, UnixFileMode.UserRead);

        await ComesBackAsync(
            () => { },
            () => File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute),
            options => options with { Program = program });
    }

    [Fact]
    public async Task A_program_that_ends_at_once_is_started_again_ever_later_up_to_a_limit()
    {
        string program = await WriteProgramAsync($"""
            echo . >> starts
            [ $(wc -l < starts) -gt 4 ] || exit 7
            exec {EngineProgram} "$@"
            """);
        await StartAsync(options => options with
        {
            Program = program,
            FirstBackOff = TimeSpan.FromMilliseconds(100),
            LongestBackOff = TimeSpan.FromMilliseconds(300),
        });

        Assert.Equal(
            ["00:00:00.1000000", "00:00:00.2000000", "00:00:00.3000000", "00:00:00.3000000"],
            _log.Lines.Where(line => line.Contains("started again in")).Select(line => line.Trim().Split(' ')[^1]));
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_not_asked_for_the_engine()
    {
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        await using var gateway = await GatewayProcess.StartAsync(
            settings: [("http_proxy", $"http://{proxy.LocalEndpoint}"), ("no_proxy", "")]);

        // It is pinged as soon as it is ready, and every two seconds.
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.False(proxy.Pending());
    }

    [Fact]
    public void A_missing_program_is_named()
    {
        var engine = EngineFixture.Supervise(new EngineOptions(_folder.Path) { Program = "/nowhere/engine" }, _log);
        _engines.Add(engine);

        Assert.Contains("/nowhere/engine", Assert.Throws<EngineException>(engine.Start).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_never_prints_its_password()
    {
        var endpoint = new EngineEndpoint(new Uri("http://127.0.0.1:8123/"), "gateway", "secret");

        Assert.DoesNotContain("secret", $"{endpoint}", StringComparison.Ordinal);
        Assert.Equal("http://gateway:secret@127.0.0.1:8123/default", endpoint.ToConnectionString());
    }

    private static string EngineProgram
    {
        get
        {
            var here = new DirectoryInfo(AppContext.BaseDirectory);
            return Path.GetFullPath(Path.Combine(here.FullName, "../../Gateway.Engine", here.Name, "Gateway.Engine"));
        }
    }

    private EngineProcess Start(Func<EngineOptions, EngineOptions>? change = null)
    {
        var options = new EngineOptions(_folder.Path) { FirstBackOff = TimeSpan.FromMilliseconds(10) };
        var engine = EngineFixture.Supervise(change is null ? options : change(options), _log);
        _engines.Add(engine);
        engine.Start();
        return engine;
    }

    private async Task<EngineProcess> StartAsync(Func<EngineOptions, EngineOptions>? change = null)
    {
        var engine = Start(change);
        await engine.WaitUntilReadyAsync(CancellationToken.None).WaitAsync(Patience);
        return engine;
    }

    /// <summary>Cannot be kept running at first, and is when it can again.</summary>
    private async Task ComesBackAsync(Action hinder, Action help, Func<EngineOptions, EngineOptions>? change = null)
    {
        hinder();
        var engine = Start(change);
        await EventuallyAsync(() => _log.Has("cannot be kept running"));
        help();
        await EventuallyAsync(() => engine.Endpoint is not null && Files.ReadProcess() is not null);

        using var client = EngineFixture.NewClient(engine.Endpoint!);
        Assert.Equal("1", await client.QueryAsync("SELECT 1"));
    }

    private async Task<string> WriteProgramAsync(string script)
    {
        string path = Path.Combine(_folder.Path, "engine.sh");
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>An engine whose standard input is held open by somebody else than a gateway.</summary>
    private async Task<Process> LeaveBehindAsync()
    {
        string[] arguments = ["--data", _folder.Path, "--port-file", Files.PortFile, "--memory", "2000000000"];
        var child = Process.Start(new ProcessStartInfo(EngineProgram, arguments) { RedirectStandardInput = true })!;
        Files.WriteProcess(ProcessIdentity.Of(child.Id)!);
        await EventuallyAsync(() => Files.ReadEndpoint() is not null);
        return child;
    }

    /// <summary>Waits until another process than this one serves.</summary>
    private Task RunsAsync(int notPid) =>
        EventuallyAsync(() => Files.ReadProcess() is { } process && process.Pid != notPid && Files.ReadEndpoint() is not null);

    private static async Task SignalAsync(string signal, int pid)
    {
        using var kill = Process.Start("kill", [signal, $"{pid}"]);
        await kill.WaitForExitAsync();
    }

    private async Task EventuallyAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!holds())
        {
            Assert.False(patience.IsCancellationRequested, _log.ToString());
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
