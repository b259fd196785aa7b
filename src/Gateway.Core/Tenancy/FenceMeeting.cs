using Dapper;
using Gateway.Core.Redis;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Whether this Redis is the one that the other gateways of the installation fence by. Two that are used side by side
/// would each show what the other does not. So every gateway writes down in the database which server it reached, by
/// the server's run, and reads what the others wrote: as long as they differ, the database is asked here.
/// </summary>
internal sealed partial class FenceMeeting(
    ControlDatabase database, RedisAuthority authority, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    // What was written longer ago is of one that ended, or cannot reach its Redis or the database.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    // When Redis is started again gateways notice one after the other.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(4);

    private string? _writtenRun;
    private long _writtenAt;
    private long? _differsSince;
    private bool _hasMet;

    /// <summary>Compares until it is cancelled.</summary>
    /// <param name="gatewayId">This gateway, which is written down in the database already.</param>
    /// <param name="met">Called when it was seen to be the same for the first time, and Redis is asked from then on.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ControlPlaneException">
    /// It is another one, and was so from the start; the message is for the operator.
    /// </exception>
    public async Task RunAsync(string gatewayId, Action met, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                string run = await authority.ReadRunAsync();
                Judge(await FindOtherAsync(gatewayId, run, cancellationToken));
                if (_hasMet) met();
            }
            catch (TokenStoreException)
            {
                // Redis or the database is away, and neither can be the cause of a difference then.
                _differsSince = null;
            }

            await Task.Delay(Pace, time, cancellationToken);
        }
    }

    private void Judge(string? other)
    {
        if (other is null)
        {
            if (_hasMet && !authority.IsOpen) LogSame(logger);
            (_differsSince, _hasMet, authority.IsOpen) = (null, true, true);
            return;
        }

        _differsSince ??= time.GetTimestamp();
        if (time.GetElapsedTime(_differsSince.Value) < Patience) return;

        if (!_hasMet)
        {
            throw new ControlPlaneException(
                $"The gateway on {other} works on the same control database, but not on the same Redis: a token that "
                + "one revokes the other would take. Give all of them the same ConnectionStrings:Redis.");
        }

        // To stop a gateway that serves would be worse than to ask the database.
        if (authority.IsOpen) LogDiffers(logger, other);
        authority.IsOpen = false;
    }

    /// <summary>The host of a gateway that reached another server a moment ago.</summary>
    private async Task<string?> FindOtherAsync(string gatewayId, string run, CancellationToken cancellationToken)
    {
        await WriteAsync(gatewayId, run, cancellationToken);
        return await database.ReadAsync<string?>(
            async connection => await connection.ExecuteScalarAsync<string?>(
                "SELECT MIN(host) FROM gateways WHERE id <> @Id AND redis_at > @After AND redis_run <> @Run",
                new { Id = gatewayId, After = (time.GetUtcNow() - Fresh).ToUnixMicroseconds(), Run = run }),
            cancellationToken);
    }

    private async Task WriteAsync(string gatewayId, string run, CancellationToken cancellationToken)
    {
        if (run == _writtenRun && time.GetElapsedTime(_writtenAt) < WriteEvery) return;

        await database.WriteAsync<Done>(
            async change =>
            {
                await change.ExecuteAsync(
                    "UPDATE gateways SET redis_run = @Run, redis_at = @Now WHERE id = @Id",
                    new { Run = run, change.Now, Id = gatewayId });
                return default(Done);
            },
            cancellationToken);
        (_writtenRun, _writtenAt) = (run, time.GetTimestamp());
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The gateway on {Host} asks another Redis than this one. Until they agree this one asks the "
            + "database, and changes of tokens are recorded and answered 503: give all gateways the same "
            + "ConnectionStrings:Redis.")]
    private static partial void LogDiffers(ILogger logger, string host);

    [LoggerMessage(Level = LogLevel.Information, Message = "All gateways ask the same Redis again.")]
    private static partial void LogSame(ILogger logger);
}
