using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gateway.Core.ClickHouse;

namespace Gateway.Tests.ClickHouse;

/// <summary>Debian's clickhouse-server 18.16: too old for our table, but a server, and not of our making.</summary>
public sealed class DebianServer : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "gateway-ch18-" + Guid.NewGuid().ToString("N"));
    private Process? _process;

    public ClickHouseOptions Target { get; } =
        new(new Uri($"http://127.0.0.1:{FreePort()}"), "gateway", "pä:ss wörd", "default");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_folder);
        string config = Path.Combine(_folder, "config.xml");
        await File.WriteAllTextAsync(config, $"""
            <yandex>
              <logger><level>fatal</level><console>1</console></logger>
              <listen_host>127.0.0.1</listen_host>
              <http_port>{Target.Endpoint.Port}</http_port>
              <tcp_port>{FreePort()}</tcp_port>
              <path>{_folder}/data/</path>
              <tmp_path>{_folder}/tmp/</tmp_path>
              <mark_cache_size>67108864</mark_cache_size>
              <users_config>users.xml</users_config>
              <default_profile>default</default_profile>
              <default_database>default</default_database>
              <timezone>UTC</timezone>
            </yandex>
            """);
        await File.WriteAllTextAsync(Path.Combine(_folder, "users.xml"), $"""
            <yandex>
              <profiles><default/></profiles>
              <quotas><default/></quotas>
              <users><gateway>
                <password>{Target.Password}</password>
                <networks><ip>127.0.0.1</ip></networks>
                <profile>default</profile>
                <quota>default</quota>
              </gateway></users>
            </yandex>
            """);

        var start = new ProcessStartInfo("clickhouse-server", [$"--config-file={config}"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        var errors = _process.StandardError.ReadToEndAsync();

        using var client = new ClickHouseClient(Target);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await IsUpAsync(client, patience.Token))
        {
            if (_process.HasExited) Assert.Fail("clickhouse-server ended: " + await errors);
            await Task.Delay(50, patience.Token);
        }
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> IsUpAsync(ClickHouseClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.PingAsync(cancellationToken);
            return true;
        }
        catch (ClickHouseException)
        {
            return false;
        }
    }
}
