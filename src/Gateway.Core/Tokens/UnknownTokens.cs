namespace Gateway.Core.Tokens;

/// <summary>
/// Tokens with our MAC that the database does not know (revoked, mostly), so that a client that keeps sending one
/// costs one database read. Bounded by having one place for each hash: the newer pushes the older out. Read without
/// locks; written only by the table, under its lock and in step with the change log.
/// </summary>
internal sealed class UnknownTokens
{
    private const int Places = 1 << 16;

    private readonly byte[]?[] _tokens = new byte[]?[Places];

    public bool Contains(ReadOnlySpan<byte> token, ulong hash) =>
        Volatile.Read(ref _tokens[Place(hash)]) is { } known && token.SequenceEqual(known);

    public void Add(byte[] token, ulong hash) => Volatile.Write(ref _tokens[Place(hash)], token);

    public void Remove(ReadOnlySpan<byte> token, ulong hash)
    {
        if (Contains(token, hash)) Volatile.Write(ref _tokens[Place(hash)], null);
    }

    public void Clear()
    {
        for (int i = 0; i < Places; i++) Volatile.Write(ref _tokens[i], null);
    }

    private static int Place(ulong hash) => (int)(hash & (Places - 1));
}
