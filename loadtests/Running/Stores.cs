using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;

namespace Gateway.LoadTests.Running;

/// <summary>Debian's redis-server on a free port, with nothing to save.</summary>
internal sealed class Redis : IDisposable
{
    private readonly Server _server;

    private Redis(Server server, int port) => (_server, Port) = (server, port);

    public int Port { get; }

    /// <summary>As <c>ConnectionStrings:Redis</c> takes it.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    public TimeSpan CpuTime => _server.CpuTime;

    public static async Task<Redis> StartAsync(CancellationToken cancellationToken)
    {
        int port = Server.FreePort();
        var server = Server.Start(
            "redis", ["redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        await server.WaitUntilAsync(
            async () =>
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, cancellationToken);
                return true;
            },
            cancellationToken);
        return new Redis(server, port);
    }

    public void Dispose() => _server.Dispose();
}

/// <summary>Debian's PostgreSQL on a free port, as its package sets it up.</summary>
internal sealed class Postgres : IDisposable
{
    private readonly Server _server;
    private readonly int _port;

    private Postgres(Server server, int port) => (_server, _port) = (server, port);

    public TimeSpan CpuTime => _server.CpuTime;

    public static async Task<Postgres> StartAsync(CancellationToken cancellationToken)
    {
        int port = Server.FreePort();

        // It does not run as root, and its children do not end with it when it is killed.
        string binaries = Binaries();
        var server = Server.Start(
            "postgres",
            [$"{binaries}/postgres", "-D", "data", "-h", "127.0.0.1", "-p", $"{port}", "-k", ""],
            user: "postgres",
            prepare: $"{binaries}/initdb -D data -A trust -U gateway -E UTF8 --locale=C -N",
            signal: "QUIT");
        var postgres = new Postgres(server, port);
        await server.WaitUntilAsync(
            async () =>
            {
                await postgres.ExecuteAsync("SELECT 1", cancellationToken);
                return true;
            },
            cancellationToken);
        return postgres;
    }

    /// <summary>Makes an empty database; as <c>ConnectionStrings:Postgres</c> takes it.</summary>
    public async Task<string> NewDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await ExecuteAsync($"CREATE DATABASE {name}", cancellationToken);
        return ConnectionString(name);
    }

    public void Dispose() => _server.Dispose();

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={_port};Username=gateway;Database={database}";

    private static string Binaries() =>
        Directory.EnumerateDirectories("/usr/lib/postgresql")
            .Select(version => Path.Combine(version, "bin"))
            .Last(folder => File.Exists(Path.Combine(folder, "postgres")));
}

/// <summary>The engine that the gateway brings, for several gateways to share.</summary>
internal sealed class Engine : IDisposable
{
    private const long MemoryBytes = 2L << 30;

    private readonly Server _server;

    private Engine(Server server, string connectionString) => (_server, ConnectionString) = (server, connectionString);

    /// <summary>As <c>ConnectionStrings:ClickHouse</c> takes it.</summary>
    public string ConnectionString { get; }

    public TimeSpan CpuTime => _server.CpuTime;

    public static async Task<Engine> StartAsync(CancellationToken cancellationToken)
    {
        var server = Server.Start(
            "engine",
            [
                "dotnet", Built.Path("Gateway.Engine", "Gateway.Engine.dll"),
                "--data", ".", "--port-file", "port.json",
                "--memory", MemoryBytes.ToString(CultureInfo.InvariantCulture),
            ],
            [("TZ", "UTC")]);
        string port = Path.Combine(server.Folder, "port.json");
        await server.WaitUntilAsync(() => Task.FromResult(File.Exists(port)), cancellationToken);

        using var credentials = Read(Path.Combine(server.Folder, "credentials.json"));
        string user = credentials.RootElement.GetProperty("user").GetString()!;
        string password = credentials.RootElement.GetProperty("password").GetString()!;
        using var told = Read(port);
        return new Engine(
            server,
            $"http://{user}:{Uri.EscapeDataString(password)}@127.0.0.1:{told.RootElement.GetProperty("port")}/default");
    }

    public void Dispose() => _server.Dispose();

    private static JsonDocument Read(string path) => JsonDocument.Parse(File.ReadAllText(path));
}

/// <summary>What make has built beside this program.</summary>
internal static class Built
{
    public static string Path(string project, string file)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string path = System.IO.Path.GetFullPath(
            System.IO.Path.Combine(here.FullName, "..", "..", project, here.Name, file));
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing: run `make build`.");
    }
}
