using System.Text;
using Gateway.Core.Query;

namespace Gateway.Core.Tests.Query;

public sealed class RowReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Rows_are_read_whole_however_they_arrive(int chunk)
    {
        string[] texts = ["", "a", new string('x', 200), new string('y', 150_000)];
        using RowReader rows = new(new Chunked(Rows(texts), chunk));

        List<string> read = [];
        while (await rows.FillAsync(default))
        {
            while (TryRead(rows, out string text)) read.Add(text);
        }

        Assert.Equal(texts, read);
    }

    [Fact]
    public async Task A_result_cut_anywhere_but_between_rows_is_an_error()
    {
        byte[] bytes = Rows(["ab", "c"]);
        int firstRow = 1 + 1 + 2 + 8;
        for (int length = 1; length < bytes.Length; length++)
        {
            using RowReader rows = new(new Chunked(bytes[..length], 3));
            async Task ReadAllAsync()
            {
                while (await rows.FillAsync(default))
                {
                    while (TryRead(rows, out _))
                    {
                    }
                }
            }

            if (length == firstRow) await ReadAllAsync();
            else await Assert.ThrowsAsync<InvalidDataException>(ReadAllAsync);
        }
    }

    [Fact]
    public async Task The_text_of_an_error_is_not_taken_for_a_row()
    {
        using RowReader rows = new(new MemoryStream("Code: 241. DB::Exception: memory"u8.ToArray()));
        await rows.FillAsync(default);
        Assert.Throws<InvalidDataException>(() => TryRead(rows, out _));
    }

    private static bool TryRead(RowReader rows, out string text)
    {
        text = "";
        if (!rows.HasBytes) return false;

        var row = rows.Begin();
        string read = row.NextText();
        long number = row.NextLong();
        if (!rows.Complete(row)) return false;

        Assert.Equal(read.Length, number);
        text = read;
        return true;
    }

    private static byte[] Rows(string[] texts)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        foreach (string text in texts)
        {
            writer.Write(RowReader.Mark);
            writer.Write7BitEncodedInt(text.Length);
            writer.Write(Encoding.ASCII.GetBytes(text));
            writer.Write((long)text.Length);
        }

        return stream.ToArray();
    }

    private sealed class Chunked(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
