using System.Data.Common;
using Dapper;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// One change of the control database while it is made: its transaction, its time, and what it touches. The epoch is
/// raised by the database at the end, not here.
/// </summary>
internal sealed class ControlWrite(DbTransaction transaction, long now, ProjectIds projectIds)
{
    private readonly List<Touched> _touched = [];

    public DbTransaction Transaction => transaction;

    public DbConnection Connection => transaction.Connection!;

    /// <summary>Microseconds since 1970 UTC; one for the whole change.</summary>
    public long Now => now;

    public IReadOnlyList<Touched> Touched => _touched;

    /// <summary>The last id that was drawn for a project; 0 when none was.</summary>
    public long DrawnProjectId { get; private set; }

    /// <summary>True when it was only tried out: it is rolled back.</summary>
    public bool IsDiscarded { get; private set; }

    /// <summary>
    /// Tells the log of something that gives or takes access, or alters what capture does. A change that concerns a
    /// token names it: every gateway looks it up anew.
    /// </summary>
    public void Touch(string what, long id, long? tokenId = null) => _touched.Add(new Touched(what, id, tokenId));

    /// <summary>Tries the change out: everything is done, told, and rolled back.</summary>
    public void Discard() => IsDiscarded = true;

    /// <summary>The id of a new project, drawn from one number that only rises.</summary>
    /// <exception cref="TokenStoreException">It is not known yet which ids are taken.</exception>
    public async Task<long> DrawProjectIdAsync() => DrawnProjectId = await ScalarAsync<long>(
        """
        UPDATE installation
        SET last_project_id = 1 + CASE WHEN last_project_id < @Floor THEN @Floor ELSE last_project_id END
        RETURNING last_project_id
        """,
        new { Floor = projectIds.Floor() });

    public Task<int> ExecuteAsync(string sql, object? parameters = null) =>
        Connection.ExecuteAsync(sql, parameters, transaction);

    /// <summary>The first column of the first row; the type's default when there is none.</summary>
    public Task<T?> ScalarAsync<T>(string sql, object? parameters = null) =>
        Connection.ExecuteScalarAsync<T>(sql, parameters, transaction);

    public Task<T?> RowAsync<T>(string sql, object? parameters = null) =>
        Connection.QuerySingleOrDefaultAsync<T>(sql, parameters, transaction);

    public async Task<List<T>> RowsAsync<T>(string sql, object? parameters = null) =>
        (await Connection.QueryAsync<T>(sql, parameters, transaction)).AsList();
}

/// <summary>What a change touched.</summary>
/// <param name="What">The kind: token, project, key, membership, organization, session.</param>
/// <param name="Id">Its row.</param>
/// <param name="TokenId">The token whose entry this ends or brings, if any.</param>
internal readonly record struct Touched(string What, long Id, long? TokenId = null);

/// <param name="Outcome">What came of it; when it was refused, nothing was written.</param>
/// <param name="Stamp">The stamp of the change; null when it touched nothing that has one.</param>
/// <param name="ConcernsCapture">Whether it gave, took or altered a token: gateways look those up in memory.</param>
internal readonly record struct Written<T>(Outcome<T> Outcome, EpochStamp? Stamp, bool ConcernsCapture);
