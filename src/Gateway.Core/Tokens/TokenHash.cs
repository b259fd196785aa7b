using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gateway.Core.Tokens;

/// <summary>
/// A 64-bit hash of a token, seeded at random for each table, so that nobody can choose tokens that collide. A
/// multiply and fold for each 16 bytes; it guards a table, not a secret.
/// </summary>
internal readonly struct TokenHash
{
    private readonly ulong _seed;
    private readonly ulong _key;

    public TokenHash()
    {
        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        _seed = BinaryPrimitives.ReadUInt64LittleEndian(random);
        _key = BinaryPrimitives.ReadUInt64LittleEndian(random[8..]) | 1;
    }

    public ulong Of(ReadOnlySpan<byte> token)
    {
        ulong hash = _seed ^ (ulong)token.Length;
        while (token.Length >= 16)
        {
            hash = Fold(
                BinaryPrimitives.ReadUInt64LittleEndian(token) ^ hash,
                BinaryPrimitives.ReadUInt64LittleEndian(token[8..]) ^ _key);
            token = token[16..];
        }

        if (token.Length >= 8)
        {
            hash = Fold(BinaryPrimitives.ReadUInt64LittleEndian(token) ^ hash, _key);
            token = token[8..];
        }

        ulong last = 0;
        foreach (byte b in token) last = (last << 8) | b;
        return Fold(Fold(last ^ hash, _key ^ 0x9E3779B97F4A7C15), _seed | 1);
    }

    private static ulong Fold(ulong left, ulong right)
    {
        ulong high = Math.BigMul(left, right, out ulong low);
        return high ^ low;
    }
}
