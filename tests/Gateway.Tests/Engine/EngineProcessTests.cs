using System.Diagnostics;
using Gateway.Engine;

namespace Gateway.Tests.Engine;

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

    private async Task<EngineProcess> StartAsync(Func<EngineOptions, EngineOptions>? change = null)
    {
        var options = new EngineOptions(_folder.Path) { FirstBackOff = TimeSpan.FromMilliseconds(10) };
        var engine = EngineFixture.Supervise(change is null ? options : change(options), _log);
        _engines.Add(engine);
        engine.Start();
        await engine.WaitUntilReadyAsync(CancellationToken.None).WaitAsync(Patience);
        return engine;
    }

    /// <summary>An engine whose standard input is held open by somebody else than a gateway.</summary>
    private async Task<Process> LeaveBehindAsync()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string program = Path.Combine(here.FullName, "..", "..", "Gateway.Engine", here.Name, "Gateway.Engine");
        string[] arguments = ["--data", _folder.Path, "--port-file", Files.PortFile, "--memory", "2000000000"];
        var child = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true })!;
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
