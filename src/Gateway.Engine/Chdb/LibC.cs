using System.Runtime.InteropServices;

namespace Gateway.Engine.Chdb;

/// <summary>The calls of the C library that .NET has no word for.</summary>
internal static unsafe partial class LibC
{
    [LibraryImport("libc", EntryPoint = "sigaction", SetLastError = true)]
    public static partial int SigAction(int signal, byte* action, byte* oldAction);

    /// <summary>Ends the process without running exit handlers, which libchdb's threads would not survive.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void ExitNow(int status);
}
