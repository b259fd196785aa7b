using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

/// <summary>A control database and an authority in memory that fail, lag and forget on demand.</summary>
internal sealed class FakeControlDatabase : ITokenStore, IEpochAuthority
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TokenRow> _tokens = [];
    private readonly List<(long Epoch, TokenRow Row)> _log = [];
    private long _recorded;
    private long _inForce;
    private int _reads;

    public bool IsDown { get; set; }

    public bool AuthorityIsDown { get; set; }

    public int Reads => Volatile.Read(ref _reads);

    public long Recorded => Volatile.Read(ref _recorded);

    /// <summary>Runs after a token was read and before the reader has it: what changes meanwhile is the trap.</summary>
    public Func<Task>? AfterFind { get; set; }

    public FenceParts Build(TokenFormat format)
    {
        var table = new TokenTable();
        var follower = new ChangeFollower(table, this);
        var fence = new Fence(
            this, table, follower, this, Microsoft.Extensions.Logging.Abstractions.NullLogger<Fence>.Instance);
        return new FenceParts(table, follower, fence, new TokenCheck(format, table, follower, this));
    }

    /// <summary>Records a change; it is not in force before somebody puts it there.</summary>
    public long Change(TokenRow row)
    {
        lock (_lock)
        {
            _tokens[Key(row.Token)] = row;
            _log.Add((++_recorded, row));
            return _recorded;
        }
    }

    public void PutInForce() => Volatile.Write(ref _inForce, Recorded);

    public void PutInForce(long epoch) => Volatile.Write(ref _inForce, epoch);

    /// <summary>Changes the table without saying so in the log: only a reload can see it.</summary>
    public void ForgetLog()
    {
        lock (_lock) _log.Clear();
    }

    public void Restore(long epoch)
    {
        lock (_lock)
        {
            _recorded = epoch;
            _log.RemoveAll(change => change.Epoch > epoch);
        }
    }

    public ValueTask<long> ReadEpochAsync(CancellationToken cancellationToken)
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

    public ValueTask<TokenChanges> ReadChangesAsync(long afterEpoch, CancellationToken cancellationToken)
    {
        Read();
        lock (_lock)
        {
            var changes = _log.Where(change => change.Epoch > afterEpoch).ToList();
            var rows = changes.Select(change => _tokens[Key(change.Row.Token)]).ToList();
            return new(new TokenChanges(rows, _recorded, HasGap: changes.Count != _recorded - afterEpoch));
        }
    }

    public ValueTask<TokenChanges> ReadImportedAsync(CancellationToken cancellationToken)
    {
        Read();
        lock (_lock)
        {
            var rows = _tokens.Values.Where(row => row is { IsImported: true, IsLive: true }).ToList();
            return new(new TokenChanges(rows, _recorded, HasGap: false));
        }
    }

    public ValueTask<long> AskAsync(CancellationToken cancellationToken) => AuthorityIsDown
        ? ValueTask.FromException<long>(new TokenStoreException("The authority is down."))
        : new(Volatile.Read(ref _inForce));

    public ValueTask RaiseAsync(long epoch, CancellationToken cancellationToken)
    {
        PutInForce(Math.Max(epoch, Volatile.Read(ref _inForce)));
        return default;
    }

    private static string Key(byte[] token) => Convert.ToHexString(token);

    private void Read()
    {
        Interlocked.Increment(ref _reads);
        if (IsDown) throw new TokenStoreException("The database is down.");
    }
}

internal sealed record FenceParts(TokenTable Table, ChangeFollower Follower, Fence Fence, TokenCheck Tokens);
