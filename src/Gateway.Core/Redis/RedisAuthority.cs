using System.Globalization;
using Gateway.Core.Tokens;
using StackExchange.Redis;

namespace Gateway.Core.Redis;

/// <summary>Raises the database's epoch above one that is known elsewhere; its new stamp.</summary>
internal delegate ValueTask<EpochStamp> RaiseDatabaseAbove(long epoch, CancellationToken cancellationToken);

/// <summary>
/// Redis as the authority: a copy of the stamp, cheaper to ask than the database. Redis may be killed and come back
/// with an old copy, be emptied, or be written to by somebody else. So what it shows counts only within a run of the
/// server that was given the database's stamp after that run was first seen; everything else is answered null, and then
/// the database is read and Redis is told.
/// </summary>
internal sealed class RedisAuthority(
    RedisConnection redis,
    string key,
    string channel,
    ITokenStore store,
    RaiseDatabaseAbove raiseDatabaseAbove) : IEpochAuthority
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(500);

    // It shows something else each time: whoever tries again in a second has another chance.
    private const int MaxAttempts = 5;

    // The server's run is read in the same step as the stamp: between two calls it could become another one.
    private const string ReadRun = "local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')\n";

    private static readonly RedisScript Ask = new(
        ReadRun + """
        local held = redis.call('HMGET', KEYS[1], 'epoch', 'mark')
        return {run, held[1], held[2]}
        """);

    // Only ever upwards: a call that was held back for long must not undo a later one. What no database can have
    // written, and was seen before, gives way too. The reply is what was there before.
    private static readonly RedisScript Raise = new(
        ReadRun + """
        if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
        local held = redis.call('HMGET', KEYS[1], 'epoch', 'mark')
        local epoch = tonumber(held[1])
        local isJunk = held[1] == ARGV[4] and held[2] == ARGV[5]
        if not epoch or not held[2] or isJunk or epoch < tonumber(ARGV[1]) then
            redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'mark', ARGV[2])
            redis.pcall('PUBLISH', ARGV[3], ARGV[1])
        end
        return {run, held[1], held[2]}
        """);

    private volatile string? _trustedRun;
    private volatile bool _isOpen;

    public AuthorityKind Kind => AuthorityKind.Redis;

    /// <summary>It is known to be the Redis that every other gateway of the installation asks.</summary>
    public void Open() => _isOpen = true;

    /// <summary>Blocks: it is asked by the thread that commits groups.</summary>
    public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            RequireOpen();

            // Before the question: the answer may be older than the trust that its run has won meanwhile.
            string? trusted = _trustedRun;
            var held = Held.Read(redis.Evaluate(Ask, key));
            return new(held.Run == trusted ? held.Stamp : null);
        }
        catch (TokenStoreException exception)
        {
            return ValueTask.FromException<EpochStamp?>(exception);
        }
    }

    public async ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken)
    {
        RequireOpen();

        string? runBefore = null;
        var junk = default(Held);
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            StopHere.At("raise");
            var held = await RaiseOnceAsync(stamp, junk);
            if (held.IsJunk)
            {
                junk = held;
            }
            else if (held.Stamp is { } shown && shown != stamp && shown.Epoch >= stamp.Epoch
                && (await store.ReadChangesAsync(shown, cancellationToken)).HasGap)
            {
                // It holds what the database does not: an older copy of the database was put back. Gateways may still
                // go by that line, so this one has to pass it.
                (stamp, runBefore) = (await raiseDatabaseAbove(shown.Epoch, cancellationToken), held.Run);
            }
            else if (held.Run == _trustedRun)
            {
                return;
            }
            else if (held.Run == runBefore)
            {
                _trustedRun = held.Run;
                return;
            }
            else
            {
                // A run that was not seen before may lack what was in force in the last one: the database has it all.
                (stamp, runBefore) = (await store.ReadEpochAsync(cancellationToken), held.Run);
            }
        }

        throw new TokenStoreException("Redis does not keep what it is given.");
    }

    private void RequireOpen()
    {
        if (!_isOpen) throw new TokenStoreException("It is not known yet whether all gateways share this Redis.");
    }

    private async ValueTask<Held> RaiseOnceAsync(EpochStamp stamp, Held junk) => Held.Read(await redis.EvaluateAsync(
        Raise,
        key,
        Deadline,
        stamp.Epoch.ToString(CultureInfo.InvariantCulture),
        stamp.Mark.ToString(CultureInfo.InvariantCulture),
        channel,
        junk.Epoch ?? "",
        junk.Mark ?? ""));

    /// <summary>What Redis replied: its run, and two texts or nothing.</summary>
    private readonly record struct Held(string Run, string? Epoch, string? Mark)
    {
        // Beyond it the numbers of Redis' scripts are not exact.
        private const long MaxEpoch = 1L << 52;

        public EpochStamp? Stamp =>
            long.TryParse(Epoch, NumberStyles.None, CultureInfo.InvariantCulture, out long epoch) && epoch <= MaxEpoch
            && long.TryParse(Mark, NumberStyles.None, CultureInfo.InvariantCulture, out long mark)
                ? new EpochStamp(epoch, mark)
                : null;

        public bool IsJunk => Epoch is not null && Mark is not null && Stamp is null;

        /// <exception cref="TokenStoreException">It is no reply of our scripts.</exception>
        public static Held Read(RedisResult[] reply) => reply is [{ IsNull: false } run, var epoch, var mark]
            ? new Held((string)run, (string?)epoch, (string?)mark)
            : throw new TokenStoreException("Redis does not tell its run.");
    }
}
