using System.Data.Common;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>
/// A data folder and a database of its own, and the control plane opened on them as often as a test likes.
/// </summary>
public abstract class ControlPlaneFixture : IDisposable
{
    protected const string GivenKey = "phx_given_key_0123456789abcdef";

    private readonly string? _postgres;

    /// <param name="onPostgres">False: a SQLite file.</param>
    protected ControlPlaneFixture(bool onPostgres = false) =>
        _postgres = onPostgres ? PostgresServer.Shared.NewDatabase() : null;

    /// <summary>The connection string of a test that is about PostgreSQL.</summary>
    protected string Postgres => _postgres ?? throw new InvalidOperationException("This test uses SQLite.");

    protected string Folder { get; } = Path.Combine(Path.GetTempPath(), $"gateway-tenancy-{Guid.NewGuid():N}");

    protected string DatabasePath => Path.Combine(Folder, "control.db");

    internal ManualTime Time { get; } = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected Task<ControlPlane> OpenAsync(string? token = null, string? key = GivenKey) =>
        ControlPlane.OpenAsync(Options(token, key), Time, NullLoggerFactory.Instance, default);

    internal Task<ControlPlane> OpenAsync(Func<EpochStamp, IEpochAuthority> authorityAt) =>
        ControlPlane.OpenAsync(Options(null, GivenKey), authorityAt, Time, NullLoggerFactory.Instance, default);

    /// <summary>Straight into the database: what would take too many steps through the front door.</summary>
    protected long Sql(string sql)
    {
        using DbConnection connection = _postgres is null
            ? new SqliteConnection($"Data Source={DatabasePath};Foreign Keys=True;Pooling=False")
            : new NpgsqlConnection(_postgres + ";Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() switch
        {
            long value => value,
            int value => value,
            _ => 0,
        };
    }

    /// <summary>The project that a key opens; an empty text or null: nobody asks.</summary>
    protected static async Task<Outcome<ProjectAccess>> EnterAsync(
        ControlPlane plane, string? key, string id, string scope) =>
        await plane.Projects.EnterAsync(CallerOf(key), id, scope, default);

    protected static Task<Outcome<TokenReset>> ResetAsync(
        ControlPlane plane, string? key, string id = "@current", CancellationToken cancellationToken = default) =>
        plane.Projects.ResetTokenAsync(CallerOf(key), id, idempotencyKey: null, cancellationToken);

    protected static Caller CallerOf(string? key) => key is null ? Caller.Nobody() : Caller.OfKey(key);

    protected static PostgresOptions PostgresOf(string text) =>
        PostgresOptions.TryParse(text, out var options, out string? error)
            ? options
            : throw new InvalidOperationException(error);

    private ControlPlaneOptions Options(string? token, string? key) =>
        new(
            Folder,
            new BootstrapOptions { ProjectToken = token, ApiKey = key },
            _postgres is null ? null : PostgresOf(_postgres));
}

internal sealed class ManualTime : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}
