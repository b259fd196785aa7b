using System.Runtime.Versioning;
using Gateway.Core.Tenancy;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>The file: private, and one gateway's.</summary>
public sealed class SqliteFileTests : ControlPlaneFixture
{
    [Fact]
    public async Task The_key_is_kept_as_a_hash_only()
    {
        await using (var plane = await OpenAsync()) Assert.NotNull(plane.Bootstrapped);

        Assert.All(
            Directory.EnumerateFiles(Folder),
            file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf("given_key"u8)));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Nobody_but_the_owner_may_read_the_files()
    {
        await using var plane = await OpenAsync();

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
        Assert.All(
            Directory.EnumerateFiles(Folder),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task A_second_gateway_on_the_same_file_refuses_to_start()
    {
        await using var first = await OpenAsync();

        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => OpenAsync());
        Assert.Contains("Another gateway", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_with_a_clear_message()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(DatabasePath, new string('x', 10_000));

        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => OpenAsync());
        Assert.Contains("cannot be opened", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_are_never_used_again()
    {
        await using var plane = await OpenAsync();
        const string Insert =
            "INSERT INTO projects (uuid, organization_id, name, created_at) VALUES ('x', 1, 'Other', 0) RETURNING id";
        long first = Sql(Insert);
        Sql($"DELETE FROM projects WHERE id = {first}");

        Assert.True(Sql(Insert) > first);
    }
}
