using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

/// <summary>A control database and an authority in memory that fail, lag and forget on demand.</summary>
internal sealed class FakeControlDatabase : ITokenStore, IEpochAuthority
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TokenRow> _tokens = [];
    private readonly List<(EpochStamp Stamp, TokenRow Row)> _log = [];
    private EpochStamp _recorded;
    private Shown _inForce = new(default);
    private int _line = 1;
    private int _reads;

    public bool IsDown { get; set; }

    public bool AuthorityIsDown { get; set; }

    public int Reads => Volatile.Read(ref _reads);

    public AuthorityKind Kind { get; set; } = AuthorityKind.Process;

    public EpochStamp Recorded
    {
        get
        {
            lock (_lock) return _recorded;
        }
    }

    /// <summary>Runs after a token was read and before the reader has it: what changes meanwhile is the trap.</summary>
    public Func<Task>? AfterFind { get; set; }

    public FenceParts Build(TokenFormat format, ITokenCache? cache = null)
    {
        var table = new TokenTable();
        var follower = new ChangeFollower(table, this);
        var fence = new Fence(
            this, table, follower, this, Microsoft.Extensions.Logging.Abstractions.NullLogger<Fence>.Instance);
        return new FenceParts(table, follower, fence, new TokenCheck(format, table, follower, this, cache));
    }

    /// <summary>Records a change; it is not in force before somebody puts it there.</summary>
    public EpochStamp Change(TokenRow row)
    {
        lock (_lock)
        {
            _tokens[Key(row.Token)] = row;
            _recorded = new EpochStamp(_recorded.Epoch + 1, (1_000 * _line) + _recorded.Epoch + 1);
            _log.Add((_recorded, row));
            return _recorded;
        }
    }

    public void PutInForce() => PutInForce(Recorded);

    public void PutInForce(EpochStamp? stamp) => Volatile.Write(ref _inForce, new Shown(stamp));

    /// <summary>Changes the table without saying so in the log: only a reload can see it.</summary>
    public void ForgetLog()
    {
        lock (_lock) _log.Clear();
    }

    /// <summary>Puts an older copy back: from there it goes on with the same numbers, and other marks.</summary>
    public void Restore(EpochStamp stamp)
    {
        lock (_lock)
        {
            _line++;
            _recorded = stamp;
            _log.RemoveAll(change => change.Stamp.Epoch > stamp.Epoch);
            _tokens.Clear();
            foreach (var (_, row) in _log) _tokens[Key(row.Token)] = row;
        }
    }

    public ValueTask<EpochStamp> ReadEpochAsync(CancellationToken cancellationToken)
    {
        Read();
        return new(Recorded);
    }

    public async ValueTask<TokenReading> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        Read();
        TokenReading reading;
        lock (_lock)
        {
            _tokens.TryGetValue(Key(token.ToArray()), out var row);
            reading = new TokenReading(row is { IsLive: true } ? row : null, _recorded);
        }

        if (AfterFind is { } hook) await hook();
        return reading;
    }

    public ValueTask<TokenChanges> ReadChangesAsync(EpochStamp after, CancellationToken cancellationToken)
    {
        Read();
        lock (_lock)
        {
            var changes = _log.Where(change => change.Stamp.Epoch > after.Epoch).ToList();
            var rows = changes.Select(change => _tokens[Key(change.Row.Token)]).ToList();
            bool isKnown = after.Epoch == 0 || after == _recorded || _log.Exists(change => change.Stamp == after);
            return new(new TokenChanges(
                rows, _recorded, LogOf(changes), HasGap: !isKnown || changes.Count != _recorded.Epoch - after.Epoch));
        }
    }

    public ValueTask<TokenChanges> ReadImportedAsync(CancellationToken cancellationToken)
    {
        Read();
        lock (_lock)
        {
            var rows = _tokens.Values.Where(row => row is { IsImported: true, IsLive: true }).ToList();
            return new(new TokenChanges(rows, _recorded, LogOf(_log), HasGap: false));
        }
    }

    public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken) => AuthorityIsDown
        ? ValueTask.FromException<EpochStamp?>(new TokenStoreException("The authority is down."))
        : new(Volatile.Read(ref _inForce).Stamp);

    public ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken)
    {
        if (!(Volatile.Read(ref _inForce).Stamp?.Epoch >= stamp.Epoch)) PutInForce(stamp);
        return default;
    }

    private static List<LoggedChange> LogOf(IEnumerable<(EpochStamp Stamp, TokenRow Row)> changes) =>
        [.. changes.Select(change => new LoggedChange(change.Stamp, change.Row.Id))];

    private static string Key(byte[] token) => Convert.ToHexString(token);

    private void Read()
    {
        Interlocked.Increment(ref _reads);
        if (IsDown) throw new TokenStoreException("The database is down.");
    }
}

internal sealed record Shown(EpochStamp? Stamp);

internal sealed record FenceParts(TokenTable Table, ChangeFollower Follower, Fence Fence, TokenCheck Tokens);
