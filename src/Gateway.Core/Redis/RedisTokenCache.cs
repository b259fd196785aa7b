using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Core.Tokens;

namespace Gateway.Core.Redis;

/// <summary>
/// Live tokens as one gateway read them, for the others. The key is a hash of the token, and the value is signed with
/// the installation's secret, so who can read Redis learns no token and who can write it makes none:
/// <code>
/// {prefix}token:{SHA-256 of the token}  →  HMAC-SHA-256 (32 bytes), then JSON
/// </code>
/// </summary>
internal sealed class RedisTokenCache(RedisConnection redis, string prefix, byte[] signingKey) : ITokenCache
{
    /// <summary>Behind it there is only one read of the database: not worth waiting for.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    public async ValueTask<TokenReading?> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        if (redis.IsAway) return null;

        try
        {
            return await redis.GetAsync(KeyOf(token.Span), Deadline) is { } value ? Read(token, value) : null;
        }
        catch (TokenStoreException)
        {
            return null;
        }
    }

    public void Keep(in TokenReading reading)
    {
        if (redis.IsAway || reading.Row is not { } row) return;

        var kept = new KeptToken(
            reading.Stamp.Epoch, reading.Stamp.Mark, row.Id, row.ProjectId, row.Rules?.AnonymizesIps ?? false,
            row.Rules?.Origins, row.Rules?.Quota.EventsPerSecond ?? 0, row.Rules?.Quota.BytesPerSecond ?? 0);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(kept, KeptTokenJson.Default.KeptToken);
        StopHere.At("fill-redis");
        redis.Set(KeyOf(row.Token), [.. Sign(row.Token, json), .. json], Kept);
    }

    private TokenReading? Read(ReadOnlyMemory<byte> token, byte[] value)
    {
        if (value.Length <= HMACSHA256.HashSizeInBytes) return null;

        var json = value.AsSpan(HMACSHA256.HashSizeInBytes);
        var signature = value.AsSpan(0, HMACSHA256.HashSizeInBytes);
        if (!CryptographicOperations.FixedTimeEquals(signature, Sign(token.Span, json))) return null;

        // A gateway that knew no quotas wrote none, whatever they are.
        if (Deserialize(json) is not { EventsPerSecond: { } events, BytesPerSecond: { } bytes } kept) return null;

        var quota = new ProjectQuota(events, bytes);
        var rules = kept.AnonymizesIps || kept.Origins is not null || !quota.IsNone
            ? new CaptureRules(kept.AnonymizesIps, kept.Origins ?? [], quota)
            : null;
        var row = new TokenRow(kept.Id, kept.ProjectId, token.ToArray(), IsImported: false, IsLive: true, rules);
        return new TokenReading(row, new EpochStamp(kept.Epoch, kept.Mark));
    }

    /// <summary>Ours, so it can be read; unless a later version wrote it differently.</summary>
    private static KeptToken? Deserialize(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, KeptTokenJson.Default.KeptToken);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string KeyOf(ReadOnlySpan<byte> token) =>
        string.Concat(prefix, "token:", Convert.ToHexStringLower(SHA256.HashData(token)));

    private byte[] Sign(ReadOnlySpan<byte> token, ReadOnlySpan<byte> json)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, signingKey);
        hmac.AppendData(token);
        hmac.AppendData("\n"u8);
        hmac.AppendData(json);
        return hmac.GetHashAndReset();
    }
}

/// <summary>A token that was live at a stamp.</summary>
internal sealed record KeptToken(
    long Epoch, long Mark, long Id, ulong ProjectId, bool AnonymizesIps, IReadOnlyList<string>? Origins,
    long? EventsPerSecond, long? BytesPerSecond);

[JsonSerializable(typeof(KeptToken))]
internal sealed partial class KeptTokenJson : JsonSerializerContext;
