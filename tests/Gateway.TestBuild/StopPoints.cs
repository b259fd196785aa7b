using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gateway.Core;

/// <summary>
/// What the points of <see cref="StopHere"/> do in the tests' build. A point is armed by a file of its name in the
/// folder that GATEWAY_STOP_POINTS names, which says what befalls the first that comes there: <c>stop</c>, <c>exit</c>
/// or <c>wait</c>. It is renamed to <c>….hit</c> first, and who waits does so until there is a <c>….go</c>.
/// </summary>
internal static partial class StopPoints
{
    private const int SigKill = 9;
    private const int SigStop = 19;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    [ModuleInitializer]
    internal static void Listen()
    {
        if (Environment.GetEnvironmentVariable("GATEWAY_STOP_POINTS") is { Length: > 0 } folder)
            StopHere.Reached = point => Reach(Path.Combine(folder, point));

        if (Environment.GetEnvironmentVariable("GATEWAY_WEAKENED") is { Length: > 0 } weakened)
        {
            string[] rules = weakened.Split(',');
            StopHere.Weakened = (string rule, ref bool holds) => holds |= rules.Contains(rule);
        }
    }

    private static void Reach(string point)
    {
        if (!File.Exists(point)) return;

        string hit = point + ".hit";
        try
        {
            File.Move(point, hit, overwrite: true);
        }
        catch (FileNotFoundException)
        {
            // Somebody else was first.
            return;
        }

        switch (File.ReadAllText(hit))
        {
            case "stop":
                Signal(SigStop);
                break;
            case "exit":
                Signal(SigKill);
                break;
            case "wait":
                Wait(hit, point + ".go");
                break;
            case var unknown:
                throw new InvalidOperationException($"'{unknown}' is nothing that a point can do.");
        }
    }

    private static void Wait(string hit, string go)
    {
        while (!File.Exists(go)) Thread.Sleep(Pause);
        File.Delete(hit);
        File.Delete(go);
    }

    /// <summary>To this very thread, which therefore gets no further; all others stop with it.</summary>
    private static void Signal(int signal)
    {
        if (TgKill(Environment.ProcessId, GetTid(), signal) != 0)
            throw new InvalidOperationException("The process could not be stopped.");
    }

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int TgKill(int process, int thread, int signal);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetTid();
}
