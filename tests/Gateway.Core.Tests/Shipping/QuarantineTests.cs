using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;

namespace Gateway.Core.Tests.Shipping;

public sealed class QuarantineTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-quarantine-{Guid.NewGuid():N}");

    private string QuarantinePath => Path.Combine(_folder, "quarantine.jsonl");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_files_name_is_synced_once_before_its_lines_count()
    {
        var synced = new List<string>();
        var quarantine = new Quarantine(QuarantinePath, TimeProvider.System, synced.Add);

        await AddAsync(quarantine);
        Assert.Equal([_folder], synced);

        await AddAsync(quarantine);
        Assert.Equal([_folder], synced);
        Assert.Equal(2, (await File.ReadAllLinesAsync(QuarantinePath)).Count(line => line.Length > 0));
    }

    [Fact]
    public async Task A_name_that_cannot_be_synced_is_synced_by_the_next_try()
    {
        int syncs = 0;
        var quarantine = new Quarantine(
            QuarantinePath,
            TimeProvider.System,
            _ =>
            {
                if (++syncs == 1) throw new IOException("no");
            });

        await Assert.ThrowsAsync<IOException>(() => AddAsync(quarantine));
        await AddAsync(quarantine);

        Assert.Equal(2, syncs);
    }

    [Fact]
    public async Task Only_the_gateways_user_may_read_what_was_put_aside()
    {
        await AddAsync(new Quarantine(QuarantinePath, TimeProvider.System));

        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(QuarantinePath));
    }

    private static Task AddAsync(Quarantine quarantine)
    {
        var block = new EventBlock();
        block.Add(1, 0, new SampleRecord().Event("e").ToPayload());
        return quarantine.AddAsync([(block.Row(0), new ClickHouseException("no"))], CancellationToken.None);
    }
}
