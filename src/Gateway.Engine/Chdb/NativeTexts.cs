using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Engine.Chdb;

/// <summary>Texts as C takes them: an array of pointers to UTF-8, zero at its end, and an array of lengths.</summary>
internal readonly unsafe ref struct NativeTexts : IDisposable
{
    public NativeTexts(scoped ReadOnlySpan<string> texts)
    {
        Count = texts.Length;
        Pointers = (byte**)NativeMemory.AllocZeroed((nuint)texts.Length + 1, (nuint)sizeof(byte*));
        Lengths = (nuint*)NativeMemory.Alloc((nuint)texts.Length + 1, (nuint)sizeof(nuint));
        for (int i = 0; i < texts.Length; i++)
        {
            int length = Encoding.UTF8.GetByteCount(texts[i]);
            Pointers[i] = (byte*)NativeMemory.Alloc((nuint)length + 1);
            Pointers[i][Encoding.UTF8.GetBytes(texts[i], new Span<byte>(Pointers[i], length))] = 0;
            Lengths[i] = (nuint)length;
        }
    }

    public int Count { get; }

    public byte** Pointers { get; }

    public nuint* Lengths { get; }

    public static NativeTexts Names(IReadOnlyList<QueryParameter> parameters) =>
        new([.. parameters.Select(parameter => parameter.Name)]);

    public static NativeTexts Values(IReadOnlyList<QueryParameter> parameters) =>
        new([.. parameters.Select(parameter => parameter.Value)]);

    public void Dispose()
    {
        for (int i = 0; i < Count; i++) NativeMemory.Free(Pointers[i]);
        NativeMemory.Free(Pointers);
        NativeMemory.Free(Lengths);
    }
}
