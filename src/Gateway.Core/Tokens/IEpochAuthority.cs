namespace Gateway.Core.Tokens;

/// <summary>Who is asked whether anything changed.</summary>
public enum AuthorityKind : byte
{
    /// <summary>This process: SQLite's file is held by one gateway.</summary>
    Process,

    /// <summary>The control database itself.</summary>
    Database,

    /// <summary>Redis, which holds a copy of the stamp.</summary>
    Redis,
}

/// <summary>
/// Who is asked whether anything changed. A change is reported as done only when the authority shows its stamp or a
/// later one, so one read of it vouches for everything looked up before. A failure is a
/// <see cref="TokenStoreException"/>.
/// </summary>
public interface IEpochAuthority
{
    AuthorityKind Kind { get; }

    /// <summary>
    /// The stamp in force; null when what it holds cannot be relied on, so that the database has to be asked and told
    /// to it. Completes synchronously and allocates nothing when no I/O is needed.
    /// </summary>
    ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts a stamp that was read from the database in force: when this returns, whoever asks from then on is shown
    /// it, or a later one of the same line, or null.
    /// </summary>
    ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken);
}
