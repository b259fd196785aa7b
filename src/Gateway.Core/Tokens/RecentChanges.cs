namespace Gateway.Core.Tokens;

/// <summary>
/// The last changes that a table has seen: which stamps lie on its line, and when each token was touched last. By them
/// something that was read at an older stamp can be told to hold still. Guarded by the table's lock.
/// </summary>
internal sealed class RecentChanges
{
    /// <summary>Lines of the log that are remembered, about 3 MB of them.</summary>
    public const int Capacity = 1 << 15;

    private readonly Queue<LoggedChange> _log = new();
    private readonly Dictionary<long, long> _marks = [];
    private readonly Dictionary<long, long> _touched = [];

    public void Clear()
    {
        _log.Clear();
        _marks.Clear();
        _touched.Clear();
    }

    public void Add(IReadOnlyList<LoggedChange> changes)
    {
        foreach (var change in changes)
        {
            _log.Enqueue(change);
            _marks[change.Stamp.Epoch] = change.Stamp.Mark;
            if (change.TokenId is { } token) _touched[token] = change.Stamp.Epoch;
        }

        // By whole epochs: one that is half forgotten would vouch for what its other half touched.
        while (_log.Count > Capacity) ForgetOldest();
    }

    /// <summary>Whether this stamp was passed by the table, as far as is remembered.</summary>
    public bool Contains(EpochStamp stamp) =>
        _marks.TryGetValue(stamp.Epoch, out long mark) && mark == stamp.Mark;

    /// <summary>Whether what was true of a token at a stamp is known to be true still.</summary>
    public bool IsUntouchedSince(EpochStamp stamp, long tokenId) =>
        Contains(stamp) && !(_touched.TryGetValue(tokenId, out long epoch) && epoch > stamp.Epoch);

    private void ForgetOldest()
    {
        long epoch = _log.Peek().Stamp.Epoch;
        _marks.Remove(epoch);
        while (_log.TryPeek(out var oldest) && oldest.Stamp.Epoch == epoch)
        {
            _log.Dequeue();
            if (oldest.TokenId is { } token && _touched.GetValueOrDefault(token) == epoch) _touched.Remove(token);
        }
    }
}
