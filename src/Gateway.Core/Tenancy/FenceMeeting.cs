using Dapper;
using Gateway.Core.Redis;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Whether this Redis is the one that the other gateways of the installation fence by. Two that are used side by side
/// would each show what the other does not, so until this was seen the database is asked. Every gateway writes itself
/// down in the database and in Redis; whoever is in one of them a moment ago must be in the other.
/// </summary>
internal sealed class FenceMeeting(
    ControlDatabase database, SharedRedis redis, RedisAuthority authority, TimeProvider time)
{
    // Gateways write themselves down in the database every ten seconds, and in Redis twice a second.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns when it was seen; until then nobody fences by Redis here.</summary>
    /// <param name="gatewayId">This gateway, which is written down in the database already.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ControlPlaneException">It is another one; the message is for the operator.</exception>
    public async Task MeetAsync(string gatewayId, CancellationToken cancellationToken)
    {
        long? since = null;
        while (true)
        {
            try
            {
                string? stranger = await FindStrangerAsync(gatewayId, cancellationToken);
                if (stranger is null)
                {
                    authority.Open();
                    return;
                }

                // It may just have ended, or Redis may just have been emptied: both pass.
                since ??= time.GetTimestamp();
                if (time.GetElapsedTime(since.Value) > Fresh) throw new ControlPlaneException(stranger);
            }
            catch (TokenStoreException)
            {
                since = null;
            }

            await Task.Delay(Pace, time, cancellationToken);
        }
    }

    /// <summary>Tells the others that this gateway is still here, until it is cancelled.</summary>
    public async Task StayAsync(string gatewayId, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Pace, time, cancellationToken);
                await redis.ReportAsync(gatewayId);
            }
            catch (Exception exception) when (exception is TokenStoreException or OperationCanceledException)
            {
                // Away, or at the end.
            }
        }
    }

    private async Task<string?> FindStrangerAsync(string gatewayId, CancellationToken cancellationToken)
    {
        var ages = await redis.ReportAsync(gatewayId);
        var hosts = await database.ReadAsync(
            async connection => (await connection.QueryAsync<(string Id, string Host)>(
                "SELECT id, host FROM gateways WHERE seen_at > @After",
                new { After = (time.GetUtcNow() - Fresh).ToUnixMicroseconds() }))
                .ToDictionary(row => row.Id, row => row.Host),
            cancellationToken);

        var inRedis = ages.Where(pair => pair.Value < Fresh).Select(pair => pair.Key).ToHashSet();
        string? elsewhere = hosts.Keys.FirstOrDefault(id => id != gatewayId && !inRedis.Contains(id));
        if (elsewhere is not null)
        {
            return $"The gateway on {hosts[elsewhere]} ({elsewhere}) works on the same control database, but not on "
                + "the same Redis: a token that one revokes the other would take. Give all of them the same "
                + "ConnectionStrings:Redis.";
        }

        string? unknown = inRedis.FirstOrDefault(id => id != gatewayId && !hosts.ContainsKey(id));
        return unknown is null
            ? null
            : $"A gateway ({unknown}) works on the same Redis under this installation's id, but not on the same "
                + "control database: one of the databases is a copy. Give the copy a Redis of its own.";
    }
}
