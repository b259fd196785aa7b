using System.Text;
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

    [Fact]
    public async Task The_lines_of_deleted_projects_go_and_every_other_line_stays_as_it_was()
    {
        using var quarantine = new Quarantine(QuarantinePath, TimeProvider.System);
        foreach (ulong project in (ulong[])[1, 2, 3, 2]) await AddAsync(quarantine, project);
        byte[] damaged = [.. "{\"project_id\":2,\"torn\":\n\xff\n[2]\n"u8];
        await using (var file = new FileStream(QuarantinePath, FileMode.Append)) file.Write(damaged);
        await AddAsync(quarantine, 2);
        byte[] before = await File.ReadAllBytesAsync(QuarantinePath);
        await File.WriteAllTextAsync(QuarantinePath + ".new", "an earlier process died over this");

        var gone = await quarantine.EraseAsync([2, 9], CancellationToken.None);

        Assert.Equal([KeyValuePair.Create(2ul, 3L)], gone);
        string[] kept = [.. Encoding.Latin1.GetString(before).Split('\n')
            .Where(line => !(line.Contains("\"project_id\":2,", StringComparison.Ordinal) && line.EndsWith('}')))];
        Assert.Equal(string.Join('\n', kept), Encoding.Latin1.GetString(await File.ReadAllBytesAsync(QuarantinePath)));
        Assert.False(File.Exists(QuarantinePath + ".new"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(QuarantinePath));

        // What is put aside afterwards goes into the new file.
        await AddAsync(quarantine, 4);
        Assert.Contains("\"project_id\":4,", await File.ReadAllTextAsync(QuarantinePath), StringComparison.Ordinal);
        Assert.Empty(await quarantine.EraseAsync([2, 9], CancellationToken.None));
    }

    [Fact]
    public async Task Lines_that_are_put_aside_while_others_are_taken_out_are_all_kept()
    {
        using var quarantine = new Quarantine(QuarantinePath, TimeProvider.System);
        var adding = Task.Run(async () =>
        {
            for (int i = 0; i < 200; i++) await AddAsync(quarantine, (ulong)(i % 2));
        });
        while (!adding.IsCompleted) await quarantine.EraseAsync([1], CancellationToken.None);
        await adding;
        await quarantine.EraseAsync([1], CancellationToken.None);

        string[] lines = await File.ReadAllLinesAsync(QuarantinePath);
        Assert.Equal(100, lines.Count(line => line.Contains("\"project_id\":0,", StringComparison.Ordinal)));
        Assert.DoesNotContain(lines, line => line.Contains("\"project_id\":1,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_file_counts_only_when_its_name_is_durable()
    {
        bool fails = false;
        using var quarantine = new Quarantine(
            QuarantinePath, TimeProvider.System, _ => { if (fails) throw new IOException("no"); });
        await AddAsync(quarantine, 2);

        fails = true;
        await Assert.ThrowsAsync<IOException>(() => quarantine.EraseAsync([2], CancellationToken.None));
    }

    private static Task AddAsync(Quarantine quarantine, ulong project = 1)
    {
        var block = new EventBlock();
        block.Add(project, 0, new SampleRecord().Event("e").ToPayload());
        return quarantine.AddAsync([(block.Row(0), new ClickHouseException("no"))], CancellationToken.None);
    }
}
