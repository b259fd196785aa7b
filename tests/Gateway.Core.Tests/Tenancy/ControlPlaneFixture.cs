using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>A data folder of its own, and the control plane opened on it as often as a test likes.</summary>
public abstract class ControlPlaneFixture : IDisposable
{
    protected const string GivenKey = "phx_given_key_0123456789abcdef";

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

    internal Task<ControlPlane> OpenAsync(Func<long, IEpochAuthority> authorityAt) =>
        ControlPlane.OpenAsync(Options(null, GivenKey), authorityAt, Time, NullLoggerFactory.Instance, default);

    /// <summary>Straight into the file: what a later step's routes will do through the front door.</summary>
    protected long Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Foreign Keys=True;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is long value ? value : 0;
    }

    /// <summary>The project that a key opens; an empty text or null: nobody asks.</summary>
    protected static async Task<Outcome<ProjectAccess>> EnterAsync(
        ControlPlane plane, string? key, string id, string scope) =>
        await plane.Projects.EnterAsync(CallerOf(key), id, scope, default);

    protected static Task<Outcome<TokenReset>> ResetAsync(
        ControlPlane plane, string? key, string id = "@current", CancellationToken cancellationToken = default) =>
        plane.Projects.ResetTokenAsync(CallerOf(key), id, idempotencyKey: null, cancellationToken);

    protected static Caller CallerOf(string? key) => key is null ? Caller.Nobody() : Caller.OfKey(key);

    private ControlPlaneOptions Options(string? token, string? key) =>
        new(Folder, new BootstrapOptions { ProjectToken = token, ApiKey = key });
}

internal sealed class ManualTime : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}
