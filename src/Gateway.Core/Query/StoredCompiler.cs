namespace Gateway.Core.Query;

/// <summary>
/// How many events of a journal are shown, by the minute of their receipt: each identity counts once, in the minute of
/// its first copy. Which identities those are is asked of the minutes in question; which copy is first, of all.
/// </summary>
public static class StoredCompiler
{
    private const long MicrosPerMinute = 60_000_000;

    /// <summary>
    /// Rows of a mark, the minute (Int64, since 1970 UTC) and how many (UInt64). Others may be among them.
    /// </summary>
    /// <param name="project">Whose.</param>
    /// <param name="journal">Of which journal.</param>
    /// <param name="from">The first minute, since 1970 UTC.</param>
    /// <param name="to">The last one.</param>
    public static CompiledQuery Compile(AuthorizedProject project, Guid journal, int from, int to)
    {
        var builder = new CompiledQuery.Builder(project);
        string ours = $"journal = toUUID({builder.Text(journal.ToString())})";
        string first = builder.Moment(from * MicrosPerMinute);
        string end = builder.Moment((to + 1L) * MicrosPerMinute);
        string inside = CompiledQuery.Builder.Select(
            "day, event, uuid", $"received_at >= {first} AND received_at < {end} AND {ours}", "");
        return builder.Build(CompiledQuery.Builder.Select(
            $"toUInt8({RowReader.Mark}), intDiv(toUnixTimestamp64Micro(received_at), {MicrosPerMinute}) AS minute, "
            + $"countIf({ours})",
            $"(day, event, uuid) IN ({inside})",
            "GROUP BY minute"));
    }
}
