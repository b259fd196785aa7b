using System.Diagnostics;
using System.Text.Json;
using Gateway.Core.ClickHouse;

namespace Gateway.Tests.ClickHouse;

/// <summary>The engine's executable on a folder of its own, as its command line and its files describe it.</summary>
public sealed class EmbeddedEngine : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-engine-{Guid.NewGuid():N}");
    private Process? _process;
    private ClickHouseOptions? _target;

    public ClickHouseOptions Target => _target ?? throw new InvalidOperationException("The engine is not started.");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_folder);
        string portFile = Path.Combine(_folder, "port.json");
        string program = Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "..", "..", "Gateway.Engine", new DirectoryInfo(AppContext.BaseDirectory).Name));
        var start = new ProcessStartInfo(Path.Combine(program, "Gateway.Engine"))
        {
            ArgumentList = { "--data", _folder, "--port-file", portFile },
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        var errors = _process.StandardError.ReadToEndAsync();

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!File.Exists(portFile))
        {
            if (_process.HasExited) Assert.Fail("The engine ended: " + await errors);
            await Task.Delay(50, patience.Token);
        }

        int port = Read(portFile).GetProperty("port").GetInt32();
        var login = Read(Path.Combine(_folder, "credentials.json"));
        _target = new ClickHouseOptions(
            new Uri($"http://127.0.0.1:{port}"),
            login.GetProperty("user").GetString()!,
            login.GetProperty("password").GetString()!,
            "default");
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static JsonElement Read(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return json.RootElement.Clone();
    }
}
