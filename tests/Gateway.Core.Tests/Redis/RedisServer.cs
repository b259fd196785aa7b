using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Gateway.Core.Tests.Redis;

/// <summary>
/// A real Redis in a folder of its own, on a port of 127.0.0.1 that it keeps when it is started again. It ends with the
/// process that started it, however that ends.
/// </summary>
public sealed partial class RedisServer : IDisposable
{
    private const int SigKill = 9;
    private const int SigCont = 18;
    private const int SigStop = 19;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly Process _shell;
    private readonly string _folder;
    private int _server;

    private RedisServer(Process shell, string folder, int port) => (_shell, _folder, Port) = (shell, folder, port);

    public int Port { get; }

    /// <summary>As <c>ConnectionStrings:Redis</c> takes it.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Starts one, which takes some milliseconds: each test may have its own.</summary>
    /// <param name="save">
    /// True: every write is on disk before it is answered. False: what is started again is as <see cref="SaveRdb"/>
    /// left it, or empty.
    /// </param>
    public static RedisServer Start(bool save = false)
    {
        string folder = Directory.CreateTempSubdirectory("gateway-redis-").FullName;
        int port = LocalPort.Free();
        string log = Path.Combine(folder, "log");
        string durability = save ? "--appendonly yes --appendfsync always" : "--appendonly no";

        // The shell starts a server for each line of its input, the end of which comes with our own end at the latest.
        string script =
            $"while read _; do redis-server --port {port} --bind 127.0.0.1 --dir {folder} --save '' {durability} "
            + $">>{log} 2>&1 & server=$!; echo $server; done; kill -KILL $server; wait; rm -rf {folder}";
        var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        })!;
        var server = new RedisServer(shell, folder, port);
        server.Run();
        return server;
    }

    /// <summary>Stops the server where it is: connections stay open and nothing is answered.</summary>
    public void Freeze() => Signal(SigStop);

    public void Thaw() => Signal(SigCont);

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        while (IsRunning()) await Task.Delay(1);
    }

    /// <summary>Starts the one that was killed again: on the same port, with what is in its folder.</summary>
    public void Restart()
    {
        Assert.False(IsRunning(), "It was not killed.");
        Run();
    }

    /// <summary>Whatever befell it, it answers again.</summary>
    public void EnsureRunning()
    {
        if (IsRunning()) Thaw();
        else Run();
    }

    /// <summary>One command; the reply as text, an array's elements each on a line.</summary>
    /// <exception cref="RedisReplyException">The reply is an error.</exception>
    public string Command(params string[] command)
    {
        using var connection = new RedisConnection(Port);
        return connection.Ask(command);
    }

    public void FlushAll() => Command("FLUSHALL");

    /// <summary>Writes what is there now to disk, for a restart to come back with.</summary>
    public void SaveRdb() => Command("SAVE");

    /// <summary>
    /// Cuts the hint channels off, while everything else goes on: nobody may subscribe any more, and who had is
    /// disconnected.
    /// </summary>
    /// <param name="publishingToo">Whether publishing is an error as well, rather than heard by nobody.</param>
    public void CutHints(bool publishingToo = false)
    {
        Command("ACL", "SETUSER", "default", "-subscribe", "-psubscribe", "-ssubscribe");
        if (publishingToo) Command("ACL", "SETUSER", "default", "resetchannels");
        Command("CLIENT", "KILL", "TYPE", "pubsub");
    }

    public void RestoreHints() => Command("ACL", "SETUSER", "default", "allchannels", "+@all");

    public void Dispose()
    {
        if (_shell.HasExited) return;

        _shell.StandardInput.Close();
        _shell.WaitForExit(10_000);
        _shell.Dispose();
    }

    private void Run()
    {
        _shell.StandardInput.WriteLine();
        _shell.StandardInput.Flush();
        _server = int.Parse(_shell.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        WaitUntilReady();
    }

    private void WaitUntilReady()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Command("PING");
                return;
            }
            catch (Exception exception) when (exception is SocketException or IOException or RedisReplyException)
            {
                // Nobody listens yet, or it is still reading its files.
                if (IsRunning() && Stopwatch.GetElapsedTime(started) < StartLimit)
                {
                    Thread.Sleep(5);
                    continue;
                }

                string log = Path.Combine(_folder, "log");
                string said = File.Exists(log) ? File.ReadAllText(log) : "";
                throw new InvalidOperationException($"Redis does not start: {said}", exception);
            }
        }
    }

    /// <summary>Not so when its parent has not asked for its exit code yet: all that it held is closed then.</summary>
    private bool IsRunning()
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{_server}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Signal(int signal) => Assert.Equal(0, Kill(_server, signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
