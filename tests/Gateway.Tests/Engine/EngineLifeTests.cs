using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Gateway.Engine;

namespace Gateway.Tests.Engine;

/// <summary>The engine's process itself: how it begins, what it bears and how it ends.</summary>
[SupportedOSPlatform("linux")]
public sealed class EngineLifeTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder _folder = new();

    public EngineLifeTests() => EngineFixture.RequireLibrary();

    public void Dispose() => _folder.Remove();

    [Fact]
    public async Task It_ends_well_when_its_standard_input_ends()
    {
        using var child = await StartAsync();
        child.StandardInput.Close();

        await child.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, child.ExitCode);
    }

    [Fact]
    public async Task It_ends_well_on_sigterm_with_queries_running()
    {
        using var child = await StartAsync();
        using var client = EngineFixture.NewClient(new EngineFiles(_folder.Path).ReadEndpoint()!);
        var asking = client.AskAsync("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))");
        await client.BecomesAsync("1", "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM num%'");
        using (var kill = Process.Start("kill", ["-TERM", $"{child.Id}"])) await kill.WaitForExitAsync();

        await child.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, child.ExitCode);
        await Assert.ThrowsAnyAsync<Exception>(async () => (await asking).EnsureSuccessStatusCode());
    }

    [Fact]
    public async Task It_listens_on_loopback_only()
    {
        using var child = await StartAsync();
        int port = new EngineFiles(_folder.Path).ReadEndpoint()!.Url.Port;
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();

        Assert.Equal(["127.0.0.1"], listening.Where(end => end.Port == port).Select(end => end.Address.ToString()));
        await EndAsync(child);
    }

    [Fact]
    public async Task Where_the_gateway_listens_is_no_business_of_its()
    {
        int port = FreePort();
        string url = $"http://127.0.0.1:{port}";
        using var child = await StartAsync(
            ("Kestrel__Endpoints__Main__Url", url), ("URLS", url), ("ASPNETCORE_URLS", url));
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();
        using var client = EngineFixture.NewClient(new EngineFiles(_folder.Path).ReadEndpoint()!);

        Assert.DoesNotContain(listening, end => end.Port == port);
        Assert.Equal("1", await client.QueryAsync("SELECT 1"));
        await EndAsync(child);
    }

    [Fact]
    public async Task Its_password_is_long_its_own_and_for_its_owner_only()
    {
        using var child = await StartAsync();
        string path = Path.Combine(_folder.Path, "credentials.json");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(64, new EngineFiles(_folder.Path).ReadEndpoint()!.Password.Length);
        await EndAsync(child);
    }

    [Fact]
    public async Task Null_references_are_caught_as_usual_beside_connects()
    {
        using var child = Process.Start(StartInfo("--self-test", "300"))!;
        string said = await child.StandardError.ReadToEndAsync().WaitAsync(Patience);

        await child.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(child.ExitCode == 0, said);
        Assert.Matches(@"Caught \d{2,} null references", said);
    }

    [Fact]
    public async Task A_second_engine_on_the_same_folder_says_that_it_is_in_use()
    {
        using var child = await StartAsync();
        using var second = Process.Start(StartInfo())!;
        string said = await second.StandardError.ReadToEndAsync().WaitAsync(Patience);

        await second.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("Does another process use it?", said, StringComparison.Ordinal);
        await EndAsync(child);
    }

    [Fact]
    public async Task Every_acknowledged_row_outlives_a_kill()
    {
        string table;
        int acknowledged = 0;
        using (var child = await StartAsync())
        {
            using var client = EngineFixture.NewClient(new EngineFiles(_folder.Path).ReadEndpoint()!);
            table = await client.NewTableAsync();
            var inserting = InsertUntilKilledAsync();
            while (Volatile.Read(ref acknowledged) < 50) await Task.Delay(5);
            child.Kill();
            await inserting;
            await child.WaitForExitAsync();

            async Task InsertUntilKilledAsync()
            {
                try
                {
                    while (true)
                    {
                        await client.QueryAsync($"INSERT INTO {table} VALUES ({acknowledged}, 'x')", "async_insert=0");
                        Interlocked.Increment(ref acknowledged);
                    }
                }
                catch (HttpRequestException)
                {
                    // The engine is gone.
                }
            }
        }

        using var again = await StartAsync();
        using var reader = EngineFixture.NewClient(new EngineFiles(_folder.Path).ReadEndpoint()!);
        string kept = await reader.QueryAsync($"SELECT uniqExact(a) FROM {table} WHERE a < {acknowledged}");
        Assert.Equal($"{acknowledged}", kept);
        await EndAsync(again);
    }

    private async Task<Process> StartAsync(params (string Name, string Value)[] environment)
    {
        var files = new EngineFiles(_folder.Path);
        files.ForgetPort();
        var start = StartInfo();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var child = Process.Start(start)!;
        _ = child.StandardError.ReadToEndAsync();
        long started = Stopwatch.GetTimestamp();
        while (files.ReadEndpoint() is null)
        {
            Assert.False(child.HasExited, "The engine ended before it was ready.");
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, "The engine is not ready.");
            await Task.Delay(20);
        }

        return child;
    }

    private static async Task EndAsync(Process child)
    {
        child.StandardInput.Close();
        await child.WaitForExitAsync().WaitAsync(Patience);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private ProcessStartInfo StartInfo(params string[] more)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string program = Path.Combine(here.FullName, "..", "..", "Gateway.Engine", here.Name, "Gateway.Engine");
        string[] arguments =
            ["--data", _folder.Path, "--port-file", new EngineFiles(_folder.Path).PortFile, "--memory", "2000000000"];
        return new ProcessStartInfo(program, [.. arguments, .. more])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
    }
}
