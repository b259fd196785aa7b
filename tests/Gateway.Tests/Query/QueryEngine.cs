using System.Diagnostics;
using System.Text.Json;
using Gateway.Core.ClickHouse;

namespace Gateway.Tests.Query;

/// <summary>An engine of its own, in a folder of its own, for as long as a test class runs.</summary>
internal sealed class QueryEngine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("query-engine-").FullName;
    private readonly Process _process;

    private QueryEngine()
    {
        // Built beside the tests: artifacts/bin/{project}/{configuration}.
        DirectoryInfo here = new(AppContext.BaseDirectory);
        string program = Path.Combine(here.Parent!.Parent!.FullName, "Gateway.Engine", here.Name, "Gateway.Engine.dll");
        ProcessStartInfo start = new("dotnet", [program, "--data", DataFolder, "--port-file", PortFile])
        {
            RedirectStandardInput = true,
        };
        _process = Process.Start(start)!;
    }

    private string DataFolder => Path.Combine(_folder, "data");

    private string PortFile => Path.Combine(_folder, "port.json");

    public static async Task<(QueryEngine Engine, ClickHouseOptions Options)> StartAsync()
    {
        QueryEngine engine = new();
        var waited = Stopwatch.StartNew();
        while (!File.Exists(engine.PortFile))
        {
            Assert.True(!engine._process.HasExited && waited.Elapsed < Patience, "The engine did not start.");
            await Task.Delay(20);
        }

        using var port = JsonDocument.Parse(await File.ReadAllTextAsync(engine.PortFile));
        using var credentials = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(engine.DataFolder, "credentials.json")));
        string user = credentials.RootElement.GetProperty("user").GetString()!;
        string password = credentials.RootElement.GetProperty("password").GetString()!;
        int number = port.RootElement.GetProperty("port").GetInt32();
        return (engine, new ClickHouseOptions(new Uri($"http://127.0.0.1:{number}"), user, password, "default"));
    }

    public void Dispose()
    {
        // The end of its standard input ends it.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(Patience)) _process.Kill();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
