using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

public sealed class Crc32CTests
{
    private const uint Inverted = uint.MaxValue;

    /// <summary>The check value that catalogues of CRCs give for CRC-32C.</summary>
    [Fact]
    public void The_customary_check_comes_out() =>
        Assert.Equal(0xE306_9283, Crc32C.Compute(Inverted, "123456789"u8) ^ Inverted);

    [Fact]
    public void Lanes_come_to_what_one_lane_comes_to()
    {
        var random = new Random(1);
        byte[] bytes = new byte[10_000];
        random.NextBytes(bytes);

        for (int length = 0; length <= bytes.Length; length += length < 1000 ? 1 : random.Next(1, 20))
        {
            // Not aligned, as a record's payload may lie anywhere.
            var part = bytes.AsSpan(random.Next(bytes.Length - length + 1), length);
            uint seed = (uint)random.NextInt64();
            Assert.Equal(Crc32C.InOneLane(seed, part), Crc32C.Compute(seed, part));
        }
    }

    [Fact]
    public void Parts_follow_one_another()
    {
        byte[] bytes = TestJournal.Payload(3, 7000)[..7000];

        foreach (int cut in (int[])[0, 1, 383, 384, 385, 3071, 3072, 3073, 6999])
        {
            uint first = Crc32C.Compute(5, bytes.AsSpan(0, cut));
            Assert.Equal(Crc32C.Compute(5, bytes), Crc32C.Compute(first, bytes.AsSpan(cut)));
        }
    }
}
