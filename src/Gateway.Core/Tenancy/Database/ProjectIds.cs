using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// Below which no project's id is drawn, whatever the database says: it may be an older copy, put back a moment ago,
/// and a new project must not find the events of a forgotten one.
/// </summary>
internal sealed class ProjectIds
{
    private const long NotKnown = -1;

    private readonly Lock _raising = new();
    private long _floor;

    /// <summary>False while the events store has yet to say which ids it knows.</summary>
    public bool AreSafe => Volatile.Read(ref _floor) != NotKnown;

    /// <summary>From now on no id is drawn before the floor was raised once.</summary>
    public void Close() => Volatile.Write(ref _floor, NotKnown);

    public void Raise(long floor)
    {
        lock (_raising)
        {
            if (floor > _floor) Volatile.Write(ref _floor, floor);
        }
    }

    /// <summary>The greatest id that is known to be taken.</summary>
    /// <exception cref="TokenStoreException">It is not known yet.</exception>
    public long Floor()
    {
        long floor = Volatile.Read(ref _floor);
        return floor == NotKnown
            ? throw new TokenStoreException("The events store has not said yet which projects it knows.")
            : floor;
    }
}
