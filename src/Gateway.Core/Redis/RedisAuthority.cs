using System.Globalization;
using Gateway.Core.Tokens;
using StackExchange.Redis;

namespace Gateway.Core.Redis;

/// <summary>Raises the database's epoch above one that is known elsewhere; its new stamp.</summary>
internal delegate ValueTask<EpochStamp> RaiseDatabaseAbove(long epoch, CancellationToken cancellationToken);

/// <summary>
/// Redis as the authority: a copy of the stamp, which spares the database the asking. Redis may be killed and come back
/// with an old copy, be emptied, or be written to by somebody else. So what it shows counts only within an era, one run
/// of the server since our key was last missing there, that was given the database's stamp after that era was first
/// seen; everything else is answered null, and then the database is read and Redis is told.
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

    // The run is read in the same step as the stamp: between two calls it could become another one. A replica may be
    // behind, whatever the library takes it for. What is held counts only with its checksum: others write none.
    private const string ReadHeld =
        """
        local replication = redis.call('INFO', 'replication')
        if string.match(replication, 'role:(%w+)') ~= 'master' then
            return redis.error_reply('It is not the primary.')
        end
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
            .. '.' .. string.match(replication, 'master_replid:(%w+)')
        local held = redis.call('HMGET', KEYS[1], 'epoch', 'mark', 'begun', 'sum')
        local function sum(epoch, mark, begun) return redis.sha1hex(epoch .. ':' .. mark .. ':' .. begun) end
        local isWhole = held[1] and held[2] and held[3] and held[4] == sum(held[1], held[2], held[3])

        """;

    private static readonly RedisScript Ask = new(
        ReadHeld + """
        if not isWhole then return {run, '', false, false} end
        return {run, held[3], held[1], held[2]}
        """);

    // Within an era only upwards: a call that was held back for long must not undo a later one. Where nothing is held
    // that counts, another era begins: whoever trusts the last one has to read the database first. The reply is the era
    // now, and what it held before.
    private static readonly RedisScript Raise = new(
        """
        if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end

        """ + ReadHeld + """
        if isWhole and tonumber(held[1]) >= tonumber(ARGV[1]) then return {run, held[3], held[1], held[2]} end

        local begun = isWhole and held[3] or ARGV[4]
        redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'mark', ARGV[2],
            'begun', begun, 'sum', sum(ARGV[1], ARGV[2], begun))
        redis.pcall('PUBLISH', ARGV[3], ARGV[1])
        return {run, begun, isWhole and held[1], isWhole and held[2]}
        """);

    private volatile string? _trustedEra;
    private volatile bool _isOpen;

    public AuthorityKind Kind => AuthorityKind.Redis;

    /// <summary>Whether it is known to be the Redis that every other gateway of the installation asks.</summary>
    public bool IsOpen
    {
        get => _isOpen;
        set => _isOpen = value;
    }

    /// <summary>Which server it is, since it was started.</summary>
    /// <exception cref="TokenStoreException">It does not answer.</exception>
    public async ValueTask<string> ReadRunAsync() => Held.Read(await redis.EvaluateAsync(Ask, key, Deadline)).Run;

    /// <summary>Blocks: it is asked by the thread that commits groups.</summary>
    public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            RequireOpen();

            // Before the question: the answer may be older than the trust that its era has won meanwhile.
            string? trusted = _trustedEra;
            var held = Held.Read(redis.Evaluate(Ask, key));
            return new(held.Era == trusted ? held.Stamp : null);
        }
        catch (TokenStoreException exception)
        {
            return ValueTask.FromException<EpochStamp?>(exception);
        }
    }

    public async ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken)
    {
        RequireOpen();

        string? eraBefore = null;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            StopHere.At("raise");
            var held = await RaiseOnceAsync(stamp);
            if (held.Stamp is { } shown && shown != stamp && shown.Epoch >= stamp.Epoch
                && (await store.ReadChangesAsync(shown, cancellationToken)).HasGap)
            {
                // It holds what the database does not: an older copy of the database was put back. Gateways may still
                // go by that line, so this one has to pass it.
                (stamp, eraBefore) = (await raiseDatabaseAbove(shown.Epoch, cancellationToken), held.Era);
            }
            else if (held.Era == _trustedEra)
            {
                return;
            }
            else if (held.Era == eraBefore)
            {
                _trustedEra = held.Era;
                return;
            }
            else
            {
                // An era that was not seen before may lack what was in force in the last: the database has it all.
                (stamp, eraBefore) = (await store.ReadEpochAsync(cancellationToken), held.Era);
            }
        }

        throw new TokenStoreException("Redis does not keep what it is given.");
    }

    private void RequireOpen()
    {
        if (!_isOpen) throw new TokenStoreException("It is not known yet whether all gateways share this Redis.");
    }

    private async ValueTask<Held> RaiseOnceAsync(EpochStamp stamp) => Held.Read(await redis.EvaluateAsync(
        Raise,
        key,
        Deadline,
        stamp.Epoch.ToString(CultureInfo.InvariantCulture),
        stamp.Mark.ToString(CultureInfo.InvariantCulture),
        channel,
        Guid.NewGuid().ToString("N")));

    /// <summary>What Redis replied: its run, since when it holds our key there, and what it holds.</summary>
    private readonly record struct Held(string Run, string Begun, EpochStamp? Stamp)
    {
        public string Era => $"{Run}:{Begun}";

        /// <exception cref="TokenStoreException">It is no reply of our scripts.</exception>
        public static Held Read(RedisResult[] reply)
        {
            if (reply is not [{ IsNull: false } run, { IsNull: false } begun, var epoch, var mark])
                throw new TokenStoreException("Redis does not tell its run.");

            return new Held((string)run, (string)begun, Stamped((string?)epoch, (string?)mark));
        }

        private static EpochStamp? Stamped(string? epoch, string? mark) =>
            long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && long.TryParse(mark, NumberStyles.None, CultureInfo.InvariantCulture, out long random)
                ? new EpochStamp(number, random)
                : null;
    }
}
