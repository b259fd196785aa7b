using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Npgsql;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>
/// A real PostgreSQL in a folder of its own, on a free port of 127.0.0.1. It ends with the process that started it,
/// however that ends. It may lose its data with the machine: nothing here is about that.
/// </summary>
public sealed partial class PostgresServer : IDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private static readonly Lazy<PostgresServer> OfThisProcess = new(() =>
    {
        var server = Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Dispose();
        return server;
    });

    private readonly Process _shell;
    private readonly string _folder;
    private readonly int _port;
    private int _databases;

    private PostgresServer(Process shell, string folder, int port) => (_shell, _folder, _port) = (shell, folder, port);

    /// <summary>One for all tests that do not harm it.</summary>
    public static PostgresServer Shared => OfThisProcess.Value;

    public int Port => _port;

    /// <summary>One of a test's own, to be harmed.</summary>
    public static PostgresServer Start()
    {
        string folder = Path.Combine(Path.GetTempPath(), $"gateway-postgres-{Guid.NewGuid():N}");
        int port = FreePort();
        using (var initdb = Run($"{Binaries()}/initdb -D {folder} -A trust -U gateway -E UTF8 --locale=C -N"))
        {
            string said = initdb.StandardOutput.ReadToEnd() + initdb.StandardError.ReadToEnd();
            initdb.WaitForExit();
            Assert.True(initdb.ExitCode == 0, said);
        }

        // The shell waits for the end of its input, which comes with our own end at the latest.
        var shell = Run(
            $"{Binaries()}/postgres -D {folder} -h 127.0.0.1 -p {port} -k '' -c fsync=off -c max_connections=200 "
            + $">{folder}/log 2>&1 & read _; kill -CONT $!; kill -QUIT $!; wait; rm -rf {folder}");
        var server = new PostgresServer(shell, folder, port);
        server.WaitUntilReady();
        return server;
    }

    /// <summary>Makes an empty database; the connection string of it.</summary>
    public string NewDatabase()
    {
        string name = $"test_{Interlocked.Increment(ref _databases)}";
        using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        command.ExecuteNonQuery();
        return ConnectionString(name);
    }

    /// <summary>Stops the server and all its sessions where they are.</summary>
    public void Freeze() => Signal(SigStop);

    public void Thaw() => Signal(SigCont);

    public void Dispose()
    {
        if (_shell.HasExited) return;

        Thaw();
        _shell.StandardInput.Close();
        _shell.WaitForExit(10_000);
        _shell.Dispose();
    }

    private void Signal(int signal)
    {
        int master = int.Parse(
            File.ReadLines(Path.Combine(_folder, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        Assert.Equal(0, Kill(master, signal));
        foreach (string child in File.ReadAllText($"/proc/{master}/task/{master}/children").Split(' '))
        {
            if (int.TryParse(child, CultureInfo.InvariantCulture, out int id)) _ = Kill(id, signal);
        }
    }

    private void WaitUntilReady()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
                connection.Open();
                return;
            }
            catch (NpgsqlException exception)
            {
                if (!_shell.HasExited && Stopwatch.GetElapsedTime(started) < StartLimit)
                {
                    Thread.Sleep(50);
                    continue;
                }

                string log = Path.Combine(_folder, "log");
                string said = File.Exists(log) ? File.ReadAllText(log) : "";
                throw new InvalidOperationException($"PostgreSQL does not start: {said}", exception);
            }
        }
    }

    private string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={_port};Username=gateway;Password=never-shown;Database={database}";

    /// <summary>PostgreSQL does not run as root; Debian's package brings a user for it.</summary>
    private static Process Run(string script)
    {
        string[] command = Environment.UserName == "root"
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "sh", "-c", script]
            : ["sh", "-c", script];
        return Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
    }

    private static string Binaries() =>
        Directory.EnumerateDirectories("/usr/lib/postgresql")
            .Select(version => Path.Combine(version, "bin"))
            .Last(folder => File.Exists(Path.Combine(folder, "postgres")));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
