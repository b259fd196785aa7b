using System.Data.Common;
using System.Text;
using Dapper;

namespace Gateway.Core.Tenancy;

/// <summary>What a change touched: the log tells every gateway's table which tokens to look at again.</summary>
/// <param name="What">The kind: token, project, key, membership, organization.</param>
/// <param name="Id">Its row.</param>
/// <param name="TokenId">The token whose entry this ends or brings, if any.</param>
internal readonly record struct Touched(string What, long Id, long? TokenId = null);

/// <summary>The epoch and its log, written as the last thing that a transaction does.</summary>
internal static class ChangeLog
{
    /// <summary>Epochs of the log that are kept; a table that is further behind is loaded anew.</summary>
    public const int KeptEpochs = 100_000;

    /// <summary>
    /// Raises the epoch, in one command with what it means. Nothing may follow but the commit: the row is locked
    /// from here on, and that is what makes the order of commits the order of epochs.
    /// </summary>
    public static async Task<long> RaiseAsync(DbTransaction transaction, params Touched[] touched)
    {
        var sql = new StringBuilder("UPDATE epoch SET value = value + 1;\n");
        var parameters = new DynamicParameters();
        for (int i = 0; i < touched.Length; i++)
        {
            sql.Append(
                $"""
                INSERT INTO change_log (epoch, position, what, what_id, token_id)
                SELECT value, {i}, @What{i}, @Id{i}, @TokenId{i} FROM epoch;

                """);
            parameters.Add($"What{i}", touched[i].What);
            parameters.Add($"Id{i}", touched[i].Id);
            parameters.Add($"TokenId{i}", touched[i].TokenId);
        }

        sql.Append(
            $"""
            DELETE FROM change_log WHERE epoch <= (SELECT value FROM epoch) - {KeptEpochs};
            SELECT value FROM epoch;
            """);
        return await transaction.Connection!.ExecuteScalarAsync<long>(sql.ToString(), parameters, transaction);
    }
}
