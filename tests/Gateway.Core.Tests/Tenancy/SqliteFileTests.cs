using System.Runtime.Versioning;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Microsoft.Data.Sqlite;

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
    public async Task Ids_of_projects_are_never_used_again()
    {
        await using var plane = await OpenAsync();
        ulong first = await NewProjectAsync(plane);

        // Harder than anything that the gateway does: not even a tombstone is left.
        Sql($"DELETE FROM project_tokens WHERE project_id = {first}; DELETE FROM projects WHERE id = {first}");

        Assert.Equal(first + 1, await NewProjectAsync(plane));
    }

    [Fact]
    public async Task A_file_of_the_first_version_is_opened_and_goes_on()
    {
        MakeFirstVersion();

        await using var plane = await OpenAsync(key: null);

        Assert.Null(plane.Bootstrapped);
        Assert.Equal("Old", (await EnterAsync(plane, OldKey, "@current", "query:read")).Value.Name);
        Assert.Equal(TokenState.Live, (await plane.Tokens.ResolveAsync("old-token"u8.ToArray(), default)).State);
        Assert.False(await plane.EventsStore.HasMetNoneAsync(default));
        Assert.Equal(8ul, await NewProjectAsync(plane, OldKey));
        Assert.True(await plane.Users.HasNoPasswordAsync(default));
        Assert.Equal("owner@localhost", (await plane.Users.GiveFirstPasswordAsync("hash", null, default)).Value);
        Assert.False(await plane.Users.HasNoPasswordAsync(default));
    }

    private const string OldKey = "phx_old_key_0123456789abcdef";

    /// <summary>What the gateway of before projects could be made left behind.</summary>
    private void MakeFirstVersion()
    {
        Directory.CreateDirectory(Folder);
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        using var script = new StreamReader(typeof(ControlPlane).Assembly.GetManifestResourceStream(
            "migrations/0001_control_plane.sql")!);
        command.CommandText =
            script.ReadToEnd().Replace("{identity}", "INTEGER PRIMARY KEY AUTOINCREMENT", StringComparison.Ordinal)
            + $"""
            CREATE TABLE schema_migrations (
                version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL);
            INSERT INTO schema_migrations VALUES (1, '0001_control_plane.sql', 1);
            INSERT INTO installation VALUES (1, 'old', '{new string('a', 64)}', 'process', 1);
            INSERT INTO organizations (uuid, name, created_at) VALUES ('{Guid.NewGuid()}', 'Old', 1);
            INSERT INTO users (uuid, email, first_name, created_at)
            VALUES ('{Guid.NewGuid()}', 'owner@localhost', 'Owner', 1);
            INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (1, 1, 15, 1);
            INSERT INTO projects (id, uuid, organization_id, name, created_at)
            VALUES (7, '{Guid.NewGuid()}', 1, 'Old', 1);
            INSERT INTO project_tokens (project_id, token, imported, created_at) VALUES (7, 'old-token', 1, 1);
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
            VALUES (1, '{TokenFormat.Sha256Of(OldKey)}', 'phx_...cdef', 'Old', '*', 1);
            """;
        command.ExecuteNonQuery();
    }

    private static async Task<ulong> NewProjectAsync(ControlPlane plane, string key = GivenKey)
    {
        var made = await plane.Projects.CreateAsync(
            CallerOf(key), "@current", new NewProject("New", null, new ProjectSettings()), default);
        Assert.Null(made.Refusal);
        return made.Value.ProjectId;
    }
}
