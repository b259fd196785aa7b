namespace Gateway.Core.Journal;

/// <summary>What a caller needs beside single reads and writes.</summary>
internal static class DiskFiles
{
    private const int ErrorNoSpace = 28;
    private const int ErrorQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int CopyBytes = 1 << 20;

    public static void WriteAll(this IDiskFile file, ReadOnlySpan<byte> data, long offset)
    {
        while (!data.IsEmpty)
        {
            int written = file.Write(data, offset);
            if (written <= 0) throw new IOException("The disk took none of the bytes.");

            data = data[written..];
            offset += written;
        }
    }

    /// <summary>Returns how many bytes were read; fewer than asked for only at the end of the file.</summary>
    public static int ReadAll(this IDiskFile file, Span<byte> buffer, long offset)
    {
        int total = 0;
        while (total < buffer.Length && file.Read(buffer[total..], offset + total) is var read and > 0) total += read;
        return total;
    }

    public static void WriteZeros(IDiskFile file, long from, long to)
    {
        byte[] zeros = new byte[(int)Math.Clamp(to - from, 0, CopyBytes)];
        for (long at = from; at < to; at += zeros.Length)
        {
            file.WriteAll(zeros.AsSpan(0, (int)Math.Min(zeros.Length, to - at)), at);
        }
    }

    public static void CopyTo(this IDiskFile source, IDiskFile target)
    {
        byte[] buffer = new byte[CopyBytes];
        long at = 0;
        for (int read; (read = source.Read(buffer, at)) > 0; at += read)
        {
            target.WriteAll(buffer.AsSpan(0, read), at);
        }
    }

    /// <summary>The bytes of a file from <paramref name="from"/> up to <paramref name="to"/> or its end.</summary>
    public static byte[] ReadRange(this IDiskFile file, long from, long to)
    {
        long length = Math.Max(0, Math.Min(to, file.Length) - from);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)length));
        int read = file.ReadAll(bytes, from);
        return read == bytes.Length ? bytes : bytes[..read];
    }

    public static bool IsDiskFull(this IOException exception) =>
        exception.HResult is ErrorNoSpace or ErrorQuota or WindowsDiskFull;
}
