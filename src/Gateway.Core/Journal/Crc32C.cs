using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gateway.Core.Journal;

/// <summary>CRC-32C by the processor's own instruction. Seeds stand in for the customary inversions.</summary>
/// <remarks>
/// On x64 the instruction takes three cycles, and one can begin in each: three lanes that lie behind one another are
/// computed at a time. A lane is carried over what follows it, as if that were zeros, by one product of polynomials
/// modulo the CRC's; and what they come to is added.
/// </remarks>
internal static class Crc32C
{
    private const int LongLane = 1024;
    private const int ShortLane = 128;
    private const uint Polynomial = 0x82F63B78;

    private static readonly ulong OverLong = CarryOver(LongLane);
    private static readonly ulong OverTwoLong = CarryOver(2 * LongLane);
    private static readonly ulong OverShort = CarryOver(ShortLane);
    private static readonly ulong OverTwoShort = CarryOver(2 * ShortLane);

    /// <summary>Carries <paramref name="seed"/> on over the bytes, so that parts can follow one another.</summary>
    public static uint Compute(uint seed, ReadOnlySpan<byte> bytes)
    {
        uint crc = seed;
        if (Pclmulqdq.IsSupported && Sse42.X64.IsSupported)
        {
            for (; bytes.Length >= 3 * LongLane; bytes = bytes[(3 * LongLane)..])
                crc = OfLanes(crc, bytes, LongLane, OverLong, OverTwoLong);
            for (; bytes.Length >= 3 * ShortLane; bytes = bytes[(3 * ShortLane)..])
                crc = OfLanes(crc, bytes, ShortLane, OverShort, OverTwoShort);
        }

        return InOneLane(crc, bytes);
    }

    /// <summary>The same, step by step.</summary>
    internal static uint InOneLane(uint seed, ReadOnlySpan<byte> bytes)
    {
        uint crc = seed;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            ulong ordered = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
            crc = BitOperations.Crc32C(crc, ordered);
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return crc;
    }

    private static uint OfLanes(uint seed, ReadOnlySpan<byte> bytes, int lane, ulong overOne, ulong overTwo)
    {
        var first = MemoryMarshal.Cast<byte, ulong>(bytes[..lane]);
        var second = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(lane, lane))[..first.Length];
        var third = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * lane, lane))[..first.Length];
        ulong a = seed;
        ulong b = 0;
        ulong c = 0;
        for (int i = 0; i < first.Length; i++)
        {
            a = Sse42.X64.Crc32(a, first[i]);
            b = Sse42.X64.Crc32(b, second[i]);
            c = Sse42.X64.Crc32(c, third[i]);
        }

        // The instruction itself takes the remainder, of both products at once.
        return (uint)Sse42.X64.Crc32(0, Product(a, overTwo) ^ Product(b, overOne)) ^ (uint)c;
    }

    private static ulong Product(ulong crc, ulong factor) =>
        Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(crc), Vector128.CreateScalar(factor), 0).ToScalar();

    /// <summary>
    /// x to the power of eight times so many bytes, less 33: the product of two such remainders is one power short of
    /// its place, bit 0 being the highest, and the instruction brings in 32.
    /// </summary>
    private static ulong CarryOver(int bytes)
    {
        uint power = 0x8000_0000;
        for (int i = 0; i < (8 * bytes) - 33; i++) power = (power >> 1) ^ ((power & 1) * Polynomial);
        return power;
    }
}
