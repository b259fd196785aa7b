namespace Gateway.Core.Tenancy;

/// <summary>One walk over an organization's log, from its first row to the head, for the first that is wrong.</summary>
/// <param name="organizationId">The organization's row.</param>
/// <param name="head">Where the chain should end.</param>
/// <param name="noted">A head that somebody noted down earlier; null: none.</param>
internal sealed class AuditWalk(long organizationId, AuditHead head, AuditHead? noted)
{
    private string _hash = "";
    private (long Number, string Reason)? _mistake;

    /// <summary>The last row that was as it was written.</summary>
    public long Done { get; private set; }

    /// <summary>Whether a mistake was found, or all rows were seen.</summary>
    public bool IsOver => _mistake is not null || Done >= head.Count;

    /// <summary>Goes over the next rows, in their order.</summary>
    public void Over(IReadOnlyList<AuditRow> rows)
    {
        if (rows.Count == 0) _mistake = (Done + 1, "The rows from here on are missing.");
        foreach (var row in rows)
        {
            _mistake = MistakeOf(row);
            if (_mistake is not null) return;

            (_hash, Done) = (row.Hash, row.Number);
        }
    }

    /// <param name="newest">The greatest number that there was when the head was read.</param>
    public AuditCheck End(long newest)
    {
        if (_mistake is { } mistake) return new AuditCheck(head, mistake.Number, mistake.Reason);
        if (_hash != head.Hash)
            return new AuditCheck(head, head.Count, "The last row is not the one that the head names.");
        if (newest > head.Count)
            return new AuditCheck(head, head.Count + 1, "The head names an earlier row: it was set back.");

        return noted is not null && noted.Count > head.Count
            ? new AuditCheck(head, head.Count + 1, "The log ends before the row that was noted down.")
            : new AuditCheck(head, null, null);
    }

    private (long Number, string Reason)? MistakeOf(AuditRow row)
    {
        if (row.Number != Done + 1) return (Done + 1, "This row is missing.");
        if (AuditLog.HashOf(organizationId, _hash, row) != row.Hash) return (row.Number, "This row was changed.");

        return noted is not null && noted.Count == row.Number && noted.Hash != row.Hash
            ? (row.Number, "This row is not the one that was noted down.")
            : null;
    }
}
