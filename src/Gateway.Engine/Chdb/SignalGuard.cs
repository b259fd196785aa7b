using System.Runtime.InteropServices;

namespace Gateway.Engine.Chdb;

/// <summary>
/// Keeps the runtime's signal handlers across a call into libchdb, which installs its own when it connects. The
/// runtime turns SIGSEGV into a NullReferenceException; with libchdb's handler one would hang the process.
/// </summary>
internal readonly unsafe ref struct SignalGuard : IDisposable
{
    /// <summary>More than any platform's <c>struct sigaction</c>; glibc's has 152 bytes.</summary>
    private const int ActionBytes = 256;

    private readonly byte[] _saved;

    private SignalGuard(byte[] saved) => _saved = saved;

    /// <summary>Linux's numbers of the signals that libchdb handles.</summary>
    private static ReadOnlySpan<int> Signals =>
        [/* SIGILL */ 4, /* SIGTRAP */ 5, /* SIGABRT */ 6, /* SIGBUS */ 7, /* SIGFPE */ 8, /* SIGSEGV */ 11,
            /* SIGTSTP */ 20, /* SIGSYS */ 31];

    public static SignalGuard Save()
    {
        byte[] saved = new byte[Signals.Length * ActionBytes];
        for (int i = 0; i < Signals.Length; i++)
        {
            fixed (byte* action = &saved[i * ActionBytes]) Check(LibC.SigAction(Signals[i], null, action));
        }

        return new SignalGuard(saved);
    }

    public void Dispose()
    {
        for (int i = 0; i < Signals.Length; i++)
        {
            fixed (byte* action = &_saved[i * ActionBytes]) Check(LibC.SigAction(Signals[i], action, null));
        }
    }

    private static void Check(int result)
    {
        if (result == 0) return;

        throw new InvalidOperationException($"sigaction failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
