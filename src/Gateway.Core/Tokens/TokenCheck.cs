namespace Gateway.Core.Tokens;

/// <summary>
/// Whose token is it? From memory when it was seen before, by its MAC when it cannot be one of ours, and only
/// otherwise by one read of what the gateways share, or of the database. Whatever the answer, it stands only behind a
/// fence that was sent after the request came in.
/// </summary>
public sealed class TokenCheck(
    TokenFormat format, TokenTable table, ChangeFollower follower, ITokenStore store, ITokenCache? cache = null)
{
    private const int MaxFlights = 1024;
    private const int MaxAttempts = 8;

    private readonly Dictionary<byte[], Task<TokenLookup>> _flights = new(TokenTextComparer.Instance);
    private long _databaseReads;
    private long _cacheHits;
    private long _cacheMisses;

    /// <summary>How often the database was asked, since the start.</summary>
    public long DatabaseReads => Volatile.Read(ref _databaseReads);

    /// <summary>How often the shared cache knew the answer, since the start.</summary>
    public long CacheHits => Volatile.Read(ref _cacheHits);

    /// <summary>How often the shared cache did not, or had one that could not be used.</summary>
    public long CacheMisses => Volatile.Read(ref _cacheMisses);

    /// <summary>Tokens held in memory.</summary>
    public int Count => table.Count;

    /// <summary>
    /// Answers without I/O or allocation. False is a miss: a token that may well be live but has not been seen yet,
    /// to be asked of <see cref="ResolveAsync"/>.
    /// </summary>
    public bool TryCheck(ReadOnlySpan<byte> token, out TokenLookup lookup)
    {
        if (table.TryFind(token, out var entry, out long version))
        {
            lookup = new TokenLookup(TokenState.Live, entry, version);
            return true;
        }

        // Imported tokens are all in the table, so what is not there and not of our shape is nobody's.
        if (!TokenFormat.IsProjectToken(token))
        {
            lookup = new TokenLookup(TokenState.Unknown, null, version);
            return true;
        }

        // What is known to be unknown had its MAC checked when it was asked for.
        if (table.IsUnknown(token))
        {
            lookup = new TokenLookup(TokenState.Unknown, null, version);
            return true;
        }

        bool mistyped = !format.HasOurMac(token);
        lookup = new TokenLookup(mistyped ? TokenState.Mistyped : TokenState.Unknown, null, version);
        return mistyped;
    }

    /// <summary>Asks Redis, then the database; everyone who asks for the same token at once shares one read.</summary>
    public async ValueTask<TokenLookup> ResolveAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        if (TryCheck(token.Span, out var known)) return known;

        Task<TokenLookup> flight;
        lock (_flights)
        {
            byte[] text = token.ToArray();
            if (!_flights.TryGetValue(text, out flight!))
            {
                if (_flights.Count >= MaxFlights) return new TokenLookup(TokenState.Unavailable, null, known.Version);

                // Not the caller's cancellation: others wait for the same answer.
                flight = Task.Run(() => FlyAsync(text), CancellationToken.None);
                _flights.Add(text, flight);
            }
        }

        return await flight.WaitAsync(cancellationToken);
    }

    private async Task<TokenLookup> FlyAsync(byte[] token)
    {
        try
        {
            return await FindSharedAsync(token) ?? await ReadAsync(token);
        }
        catch (TokenStoreException)
        {
            return new TokenLookup(TokenState.Unavailable, null, table.Snapshot.Version);
        }
        finally
        {
            lock (_flights) _flights.Remove(token);
        }
    }

    private async ValueTask<TokenLookup?> FindSharedAsync(byte[] token)
    {
        if (cache is null) return null;

        // One that is newer than the table is of no use either: the log would have to be read for it first.
        if (await cache.FindAsync(token, CancellationToken.None) is { } reading
            && table.TryLearn(token, reading, out var entry, out long version))
        {
            Interlocked.Increment(ref _cacheHits);
            return new TokenLookup(TokenState.Live, entry, version);
        }

        Interlocked.Increment(ref _cacheMisses);
        return null;
    }

    private async ValueTask<TokenLookup> ReadAsync(byte[] token)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            Interlocked.Increment(ref _databaseReads);
            long before = table.Snapshot.Version;
            var reading = await store.FindAsync(token, CancellationToken.None);

            // The table takes it in only when nothing touched it since it was read; otherwise it is read anew. That
            // nobody has it is true of the moment of the reading at least, whatever came since.
            await follower.CatchUpAsync(reading.Stamp, CancellationToken.None);
            StopHere.At("learn");
            bool isLearned = table.TryLearn(token, reading, out var entry, out long version);
            if (reading.Row is null) return new TokenLookup(TokenState.Unknown, null, isLearned ? version : before);
            if (!isLearned) continue;

            cache?.Keep(reading);
            return new TokenLookup(TokenState.Live, entry, version);
        }

        // It never holds still.
        return new TokenLookup(TokenState.Unavailable, null, table.Snapshot.Version);
    }

    /// <summary>Compares the text of tokens, byte by byte.</summary>
    private sealed class TokenTextComparer : IEqualityComparer<byte[]>
    {
        public static readonly TokenTextComparer Instance = new();

        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public int GetHashCode(byte[] token)
        {
            var hash = new HashCode();
            hash.AddBytes(token);
            return hash.ToHashCode();
        }
    }
}
