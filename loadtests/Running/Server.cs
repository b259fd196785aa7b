using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Gateway.LoadTests.Running;

/// <summary>
/// A program in a folder of its own. The shell around it ends it and removes the folder at the end of the shell's
/// input, which comes with our own end at the latest, however that comes.
/// </summary>
internal sealed class Server : IDisposable
{
    // What is started with & ignores some signals from birth, and would those that are to end it.
    private const string Script = """
        signal=$1 folder=$2 prepare=$3; shift 3
        mkdir "$folder" && cd "$folder" || exit
        exec 3<&0
        eval "$prepare"
        env --default-signal "$@" <&3 & server=$!
        read _
        kill -$signal $server; wait; cd /; rm -rf "$folder"
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly Process _shell;
    private readonly ConcurrentQueue<string> _said = new();

    private Server(Process shell, string folder)
    {
        (_shell, Folder) = (shell, folder);
        shell.OutputDataReceived += (_, line) => _said.Enqueue(line.Data ?? "");
        shell.ErrorDataReceived += (_, line) => _said.Enqueue(line.Data ?? "");
        shell.BeginOutputReadLine();
        shell.BeginErrorReadLine();
    }

    public string Folder { get; }

    /// <summary>Of the processor, by the program and those that it started and that still run.</summary>
    public TimeSpan CpuTime => ProcessTree.CpuTime(_shell.Id);

    /// <summary>In memory, and nobody else's, of the program and those that it started.</summary>
    public long MemoryBytes => ProcessTree.MemoryBytes(_shell.Id);

    /// <summary>Starts it; it is ready later.</summary>
    /// <param name="name">Of the folder, before what tells it from others.</param>
    /// <param name="command">The program and its arguments, run in the folder.</param>
    /// <param name="environment">More of it.</param>
    /// <param name="user">Whom to run as, if we are root.</param>
    /// <param name="prepare">Shell commands to run in the folder first.</param>
    /// <param name="signal">What ends it.</param>
    public static Server Start(
        string name,
        string[] command,
        IEnumerable<(string Key, string Value)>? environment = null,
        string? user = null,
        string prepare = ":",
        string signal = "KILL")
    {
        string folder = Path.Combine(Path.GetTempPath(), $"gateway-load-{name}-{Guid.NewGuid():N}");
        string[] other = user is not null && Environment.UserName == "root"
            ? ["setpriv", $"--reuid={user}", $"--regid={user}", "--clear-groups"]
            : [];

        // In a session of its own: Ctrl+C is for us alone, and we end the others.
        var start = new ProcessStartInfo(
            "setsid", [.. other, "sh", "-c", Script, "sh", signal, folder, prepare, .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var (key, value) in environment ?? []) start.Environment[key] = value;
        return new Server(Process.Start(start)!, folder);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Asks again and again; that nobody listens yet is no error.</summary>
    public async Task WaitUntilAsync(Func<Task<bool>> isReady, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await TryAsync(isReady))
        {
            if (Stopwatch.GetElapsedTime(started) > StartLimit)
                throw new InvalidOperationException($"It does not start: {string.Join('\n', _said)}");
            await Task.Delay(Poll, cancellationToken);
        }
    }

    public void Dispose()
    {
        _shell.StandardInput.Close();
        _shell.WaitForExit(StartLimit);
        _shell.Dispose();
    }

    private static async Task<bool> TryAsync(Func<Task<bool>> isReady)
    {
        try
        {
            return await isReady();
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException
            or System.Data.Common.DbException)
        {
            return false;
        }
    }
}
