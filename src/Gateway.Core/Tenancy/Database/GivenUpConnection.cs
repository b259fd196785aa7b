using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// A connection for one read, on which no statement begins once the read was given up. The one under way is ended by
/// the server's own limit: to ask it to cancel is to wait for a server that may not answer. The connection inside is
/// somebody else's to close.
/// </summary>
internal sealed class GivenUpConnection(DbConnection inner, CancellationToken givenUp) : DbConnection
{
    [AllowNull]
    public override string ConnectionString
    {
        get => inner.ConnectionString;
        set => inner.ConnectionString = value;
    }

    public override string Database => inner.Database;

    public override string DataSource => inner.DataSource;

    public override string ServerVersion => inner.ServerVersion;

    public override ConnectionState State => inner.State;

    public override void ChangeDatabase(string databaseName) => inner.ChangeDatabase(databaseName);

    public override void Close()
    {
    }

    public override void Open() => inner.Open();

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) =>
        inner.BeginTransaction(isolationLevel);

    protected override DbCommand CreateDbCommand()
    {
        givenUp.ThrowIfCancellationRequested();
        return inner.CreateCommand();
    }
}
