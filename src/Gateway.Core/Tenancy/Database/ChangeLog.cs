using System.Text;
using Dapper;

namespace Gateway.Core.Tenancy.Database;

/// <summary>The epoch and its log, written as the last thing that a transaction does.</summary>
internal static class ChangeLog
{
    /// <summary>Epochs of the log that are kept; a table that is further behind is loaded anew.</summary>
    public const int KeptEpochs = 100_000;

    /// <summary>
    /// Statements that raise the epoch together with what it means, and give its new value. Done may follow but the
    /// commit: the row is locked from here on, and that is what makes the order of commits the order of epochs.
    /// </summary>
    public static (string Sql, DynamicParameters Parameters) Raise(IReadOnlyList<Touched> touched)
    {
        var sql = new StringBuilder("UPDATE epoch SET value = value + 1;\n");
        var parameters = new DynamicParameters();
        for (int i = 0; i < touched.Count; i++)
        {
            sql.Append(
                $"""
                INSERT INTO change_log (epoch, position, what, what_id, token_id)
                SELECT value, {i}, @What{i}, @Id{i}, @TokenId{i} FROM epoch;

                """);
            parameters.Add($"What{i}", touched[i].What);
            parameters.Add($"Id{i}", touched[i].Id);
            parameters.Add($"TokenId{i}", touched[i].TokenId, System.Data.DbType.Int64);
        }

        // A deleted project remembers its own epoch: a gateway that has come so far knows of its end.
        sql.Append(
            $"""
            UPDATE projects SET deletion_epoch = (SELECT value FROM epoch)
            WHERE deleted_at IS NOT NULL AND deletion_epoch IS NULL;
            DELETE FROM change_log WHERE epoch <= (SELECT value FROM epoch) - {KeptEpochs};
            SELECT value FROM epoch;
            """);
        return (sql.ToString(), parameters);
    }
}
