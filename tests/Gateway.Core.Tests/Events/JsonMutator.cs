namespace Gateway.Core.Tests.Events;

/// <summary>Damages a body as networks, proxies and attackers do.</summary>
internal static class JsonMutator
{
    private static readonly byte[][] Splices =
    [
        "\\ud83c"u8.ToArray(), "\\udc00\\ud800"u8.ToArray(), "\\u0000"u8.ToArray(), "\\u00e9"u8.ToArray(), "1e999"u8.ToArray(),
        "null"u8.ToArray(), "{}"u8.ToArray(), "[]"u8.ToArray(), "[[[["u8.ToArray(), "}}"u8.ToArray(), "\""u8.ToArray(),
        "\\"u8.ToArray(), ","u8.ToArray(), "\"batch\":"u8.ToArray(), "\"token\":\"other\","u8.ToArray(), [0xff], [0xc3],
        [0xf0, 0x9f, 0x98, 0x80], [0], "\"uuid\":\"\","u8.ToArray(), "\"offset\":-5,"u8.ToArray(), "\"$ip\":\"1.2.3.4\","u8.ToArray(),
    ];

    public static byte[] Mutate(Random random, byte[] body)
    {
        List<byte> bytes = [.. body];
        int count = random.Next(1, 4);
        for (int i = 0; i < count && bytes.Count > 2; i++) MutateOnce(random, bytes);
        return [.. bytes];
    }

    private static void MutateOnce(Random random, List<byte> bytes)
    {
        int at = random.Next(bytes.Count);
        int length = random.Next(Math.Min(bytes.Count - at, 24));
        switch (random.Next(7))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(32, 127);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                break;
            case 4:
                bytes.InsertRange(at, Splices[random.Next(Splices.Length)]);
                break;
            case 5:
                bytes.InsertRange(AfterNext(bytes, at, (byte)'{'), Splices[random.Next(Splices.Length)]);
                break;
            default:
                SwapValues(random, bytes);
                break;
        }
    }

    /// <summary>Puts one short quoted text in the place of another: still JSON, but of another meaning.</summary>
    private static void SwapValues(Random random, List<byte> bytes)
    {
        var (from, fromLength) = Quoted(random, bytes);
        var (to, toLength) = Quoted(random, bytes);
        if (fromLength <= 0 || toLength <= 0) return;

        var text = bytes.GetRange(from, fromLength);
        bytes.RemoveRange(to, toLength);
        bytes.InsertRange(to, text);
    }

    private static (int Start, int Length) Quoted(Random random, List<byte> bytes)
    {
        int start = AfterNext(bytes, random.Next(bytes.Count), (byte)'"');
        int end = bytes.IndexOf((byte)'"', Math.Min(start, bytes.Count - 1));
        return (start, end - start);
    }

    private static int AfterNext(List<byte> bytes, int at, byte wanted) =>
        bytes.IndexOf(wanted, at) is >= 0 and int found ? found + 1 : 0;
}
