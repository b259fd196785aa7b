using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Gateway.Core.Journal;

/// <summary>CRC-32C by the processor's own instruction, without the customary inversions: seeds stand in for them.</summary>
internal static class Crc32C
{
    /// <summary>Carries <paramref name="seed"/> on over the bytes, so that parts can be added one after another.</summary>
    public static uint Compute(uint seed, ReadOnlySpan<byte> bytes)
    {
        uint crc = seed;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return crc;
    }
}
