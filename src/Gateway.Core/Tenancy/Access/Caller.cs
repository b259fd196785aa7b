using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Access;

/// <summary>
/// Who asks, as the request says: the bearer of a personal API key, or of a session. Whether there is such a one is
/// read from the database. Not a record: its text would show the key.
/// </summary>
public sealed class Caller
{
    private Caller(string? key, string? sessionId, string ip) => (Key, SessionId, Ip) = (key, sessionId, ip);

    /// <summary>The personal API key as sent; null: none.</summary>
    internal string? Key { get; }

    /// <summary>The id in the session's cookie; null: none.</summary>
    internal string? SessionId { get; }

    /// <summary>The client's address, for the audit log; empty when not known.</summary>
    public string Ip { get; }

    internal string Sha256 => TokenFormat.Sha256Of(Key ?? SessionId ?? "");

    public static Caller OfKey(string key, string ip = "") => new(key, null, ip);

    public static Caller OfSession(string sessionId, string ip = "") => new(null, sessionId, ip);

    public static Caller Nobody(string ip = "") => new(null, null, ip);
}
