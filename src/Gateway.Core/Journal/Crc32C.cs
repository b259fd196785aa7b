using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Gateway.Core.Journal;

/// <summary>CRC-32C by the processor's own instruction. Seeds stand in for the customary inversions.</summary>
internal static class Crc32C
{
    /// <summary>Carries <paramref name="seed"/> on over the bytes, so that parts can follow one another.</summary>
    public static uint Compute(uint seed, ReadOnlySpan<byte> bytes)
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
}
