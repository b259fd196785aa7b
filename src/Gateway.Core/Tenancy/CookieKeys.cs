using Dapper;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// The keys that cookies are encrypted with, as the web server writes them: kept here, so that sessions outlive a
/// restart and hold on every gateway.
/// </summary>
public sealed class CookieKeys
{
    private readonly ControlChanges _changes;

    internal CookieKeys(ControlChanges changes) => _changes = changes;

    /// <summary>All of them, oldest first.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public ValueTask<List<string>> ReadAsync(CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            async connection => (await connection.QueryAsync<string>(
                "SELECT xml FROM data_protection_keys ORDER BY id")).AsList(),
            cancellationToken);

    /// <exception cref="TokenStoreException">It cannot be written.</exception>
    public async Task AddAsync(string name, string xml, CancellationToken cancellationToken) =>
        await _changes.RunAsync<Done>(
            async change =>
            {
                await change.ExecuteAsync(
                    "INSERT INTO data_protection_keys (friendly_name, xml) VALUES (@Name, @Xml)",
                    new { Name = name, Xml = xml });
                return default(Done);
            },
            cancellationToken);
}
