using Gateway.Core.Tenancy;
using Gateway.Tenancy;
using Gateway.Tests.Engine;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Tenancy;

/// <summary>The owner's first password is shown once, and must not be lost.</summary>
public sealed class FirstPasswordTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Remove();

    [Fact]
    public async Task A_password_that_may_or_may_not_be_recorded_is_told_and_the_next_start_gives_another_one_if_not()
    {
        await using var plane = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(_folder.Path, new BootstrapOptions()),
            TimeProvider.System,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        Sql("CREATE TRIGGER full BEFORE UPDATE OF password_hash ON users BEGIN SELECT RAISE(ABORT, 'no'); END");

        var unknown = await FirstPassword.GiveAsync(plane, new BootstrapOptions());
        Assert.False(unknown!.IsCertain);
        Assert.Equal("owner@localhost", unknown.Email);
        Assert.NotNull(unknown.Password);

        Sql("DROP TRIGGER full");
        var given = await FirstPassword.GiveAsync(plane, new BootstrapOptions());
        Assert.True(given!.IsCertain);
        Assert.NotEqual(unknown.Password, given.Password);
        Assert.Null(await FirstPassword.GiveAsync(plane, new BootstrapOptions()));
    }

    private void Sql(string sql)
    {
        string path = Path.Combine(_folder.Path, "control.db");
        using var connection = new SqliteConnection($"Data Source={path};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
