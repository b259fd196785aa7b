namespace Gateway.Core.Tokens;

/// <summary>
/// What gateways have read of tokens, shared between them to spare the database. Nothing in it is believed for its own
/// sake: each reading carries the stamp at which it was true, and the table takes it only when its own log says that
/// nothing touched the token since. It may forget, be late, or be down; it never throws.
/// </summary>
public interface ITokenCache
{
    /// <summary>The token of this text, live at some stamp; null: there is none, or nobody answers in time.</summary>
    ValueTask<TokenReading?> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken);

    /// <summary>Keeps a reading whose row is set, some time after this returned.</summary>
    void Keep(in TokenReading reading);
}
