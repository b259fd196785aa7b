using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Core.Journal;

/// <summary>The operating system's files. On Linux a sync is <c>fdatasync</c>, elsewhere the runtime's flush.</summary>
public sealed partial class SystemDisk : IDisk
{
    private const int InterruptedCall = 4;
    private const int WouldBlock = 11;
    private const int WouldBlockOnMac = 35;
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int OpenReadOnlyCloseOnExec = 0x80000;
    private const int SetFlags = 4;
    private const int NotNeeded = 4;

    // So much at a time: a sync of the journal's may have to wait for it.
    private const int ZeroBytes = 1 << 20;

    // What writes past the cache are aligned to: the blocks of every disk that is usual.
    private const int Block = 4 << 10;

    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public IReadOnlyList<string> List(string directory) =>
        [.. Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path))];

    public IDisposable? TryLock(string path)
    {
        try
        {
            // On Unix the runtime takes an flock for this; the kernel lets go of it however the process ends.
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception.HResult is WouldBlock or WouldBlockOnMac or SharingViolation)
        {
            return null;
        }
    }

    public IDiskFile Open(string path) => new SystemFile(OpenHandle(path, FileMode.Open));

    public IDiskFile OpenToRead(string path) => new SystemFile(
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));

    public IDiskFile Create(string path) => new SystemFile(OpenHandle(path, FileMode.Create));

    public void Rename(string path, string newPath) => File.Move(path, newPath, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void SyncDirectory(string directory)
    {
        if (!OperatingSystem.IsLinux()) return; // Elsewhere a directory cannot be opened, or needs no sync.

        int descriptor = OpenDescriptor(directory, OpenReadOnlyCloseOnExec);
        if (descriptor < 0) throw Failure("open", directory);

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        while (SyncAll(handle) != 0)
        {
            if (Marshal.GetLastPInvokeError() != InterruptedCall) throw Failure("fsync", directory);
        }
    }

    public DiskSpace GetSpace(string directory)
    {
        var drive = new DriveInfo(Path.GetFullPath(directory));
        return new DiskSpace(drive.AvailableFreeSpace, drive.TotalSize);
    }

    /// <summary>O_DIRECT; 0 where it is not known or not there.</summary>
    private static int DirectFlag => !OperatingSystem.IsLinux() ? 0 : RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 0x4000,
        Architecture.Arm64 => 0x10000,
        _ => 0,
    };

    private static SafeFileHandle OpenHandle(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private static IOException Failure(string call, string? path = null)
    {
        int error = Marshal.GetLastPInvokeError();
        string text = Marshal.GetPInvokeErrorMessage(error);
        return new IOException(path is null ? $"{call}: {text}" : $"{call} '{path}': {text}", error);
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int SyncData(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncAll(SafeFileHandle file);

    // On Linux variadic arguments are passed like any others.
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, int flags);

    // It returns its error, which is of no use: not to take advice is no failure.
    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags);

    private sealed class SystemFile(SafeFileHandle handle) : IDiskFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(handle, buffer, offset);

        public int Write(ReadOnlySpan<byte> data, long offset)
        {
            RandomAccess.Write(handle, data, offset);
            return data.Length;
        }

        /// <summary>
        /// Past the page cache where that can be: zeros are never read, and to copy them into it was a fifth of what an
        /// event of a batch took.
        /// </summary>
        public void Prewrite(long length)
        {
            long done = 0;
            if (TrySetDirect(true))
            {
                try
                {
                    done = WriteZerosDirectly(length / Block * Block);
                }
                finally
                {
                    TrySetDirect(false);
                }
            }

            DiskFiles.WriteZeros(this, done, length);
        }

        public void Sync()
        {
            if (!OperatingSystem.IsLinux())
            {
                RandomAccess.FlushToDisk(handle);
                return;
            }

            while (SyncData(handle) != 0)
            {
                // An interrupted call has reported no error yet; any other failure has, and is told only once.
                if (Marshal.GetLastPInvokeError() != InterruptedCall) throw Failure("fdatasync");
            }
        }

        /// <summary>Returns the length, or 0: a file system may take the flag and refuse the writes.</summary>
        private unsafe long WriteZerosDirectly(long length)
        {
            void* memory = NativeMemory.AlignedAlloc(ZeroBytes, Block);
            try
            {
                var zeros = new Span<byte>(memory, ZeroBytes);
                zeros.Clear();
                long at = 0;
                for (; at < length; at += ZeroBytes)
                    RandomAccess.Write(handle, zeros[..(int)Math.Min(ZeroBytes, length - at)], at);

                return length;
            }
            catch (IOException exception) when (!exception.IsDiskFull())
            {
                // What is really wrong with the disk is told by the writes that follow.
                return 0;
            }
            finally
            {
                NativeMemory.AlignedFree(memory);
            }
        }

        private bool TrySetDirect(bool isDirect) =>
            DirectFlag != 0 && Control(handle, SetFlags, isDirect ? DirectFlag : 0) == 0;

        public void Uncache()
        {
            if (OperatingSystem.IsLinux()) _ = Advise(handle, 0, 0, NotNeeded);
        }

        public void SetLength(long length) => RandomAccess.SetLength(handle, length);

        public void Dispose() => handle.Dispose();
    }
}
