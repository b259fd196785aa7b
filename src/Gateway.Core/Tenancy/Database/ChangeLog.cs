using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;

namespace Gateway.Core.Tenancy.Database;

/// <summary>The epoch and its log, written as the last thing that a transaction does.</summary>
internal static class ChangeLog
{
    /// <summary>Epochs of the log that are kept; a table that is further behind is loaded anew.</summary>
    public const int KeptEpochs = 100_000;

    // Rows in one statement, which databases parse as a whole.
    private const int RowsAtOnce = 500;

    /// <summary>
    /// Statements that raise the epoch together with what it means, and give its new stamp. Nothing may follow but the
    /// commit: who raises it to the same value at the same time loses, and that is what makes the order of commits the
    /// order of epochs. The epoch itself comes last, since everybody waits for its row.
    /// </summary>
    public static (string Sql, DynamicParameters Parameters) Raise(IReadOnlyList<Touched> touched)
    {
        var sql = new StringBuilder();
        var parameters = new DynamicParameters();
        parameters.Add("Mark", DrawMark());
        string[] kinds = [.. touched.Select(one => one.What).Distinct(StringComparer.Ordinal)];
        for (int i = 0; i < kinds.Length; i++) parameters.Add($"What{i}", kinds[i]);

        for (int first = 0; first < touched.Count; first += RowsAtOnce)
            Insert(sql, touched, kinds, first, Math.Min(first + RowsAtOnce, touched.Count));

        // A deleted project remembers its own epoch: a gateway that has come so far knows of its end.
        sql.Append(
            CultureInfo.InvariantCulture,
            $"""
            UPDATE projects SET deletion_epoch = (SELECT value + 1 FROM epoch)
            WHERE deleted_at IS NOT NULL AND deletion_epoch IS NULL;
            DELETE FROM change_log WHERE epoch <= (SELECT value + 1 FROM epoch) - {KeptEpochs};
            UPDATE epoch SET value = value + 1, mark = @Mark RETURNING value AS Epoch, mark AS Mark;
            """);
        return (sql.ToString(), parameters);
    }

    /// <summary>
    /// Jumps over every epoch up to one that is known elsewhere, of a line that this database does not hold: it was
    /// put back to an older copy. The log has a gap there, so nobody follows it across.
    /// </summary>
    public static Task JumpAsync(ControlWrite change, long above) =>
        change.ExecuteAsync("UPDATE epoch SET value = @Above WHERE value < @Above", new { Above = above });

    private static long DrawMark()
    {
        Span<byte> random = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(random);
        return BitConverter.ToInt64(random) & long.MaxValue;
    }

    /// <summary>Numbers are written out: thousands of parameters cost far more than they are worth.</summary>
    private static void Insert(StringBuilder sql, IReadOnlyList<Touched> touched, string[] kinds, int first, int end)
    {
        sql.Append(
            """
            INSERT INTO change_log (epoch, mark, position, what, what_id, token_id)
            SELECT e.value + 1, @Mark, v.column1, v.column2, v.column3, CAST(v.column4 AS BIGINT)
            FROM epoch e CROSS JOIN (VALUES

            """);
        for (int i = first; i < end; i++)
        {
            var (what, id, tokenId) = touched[i];
            sql.Append(
                CultureInfo.InvariantCulture,
                $"{(i == first ? "" : ",\n")}({i}, @What{Array.IndexOf(kinds, what)}, {id}, ");
            if (tokenId is { } token) sql.Append(CultureInfo.InvariantCulture, $"{token})");
            else sql.Append("NULL)");
        }

        sql.Append(") AS v;\n");
    }
}
